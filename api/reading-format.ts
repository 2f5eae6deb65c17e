import { setImmediate as nextTurn } from "node:timers/promises";
import { stringify } from "csv-stringify/sync";
import type { SeriesEntry } from "#telemetry/series.ts";
import type { ReadingRows } from "#store/port.ts";

/** Rows written before other work of the process gets its turn: some 2 ms. */
const ROWS_A_TURN = 1_000;

export interface ReadingsHead {
  readonly measurement: string;
  readonly from: string;
  readonly to: string;
  readonly order: "asc" | "desc";
  readonly truncated: boolean;
}

/** The JSON document of `Readings`, in pieces. A field that a reading does not have is left out. */
export async function* readingsAsJson(
  head: ReadingsHead,
  rows: ReadingRows,
  series: ReadonlyMap<number, SeriesEntry>,
): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"readings":[`;
  for await (const [start, end] of turns(rows.time.length)) {
    let text = "";
    for (let row = start; row < end; row += 1) {
      text += `${row > 0 ? "," : ""}\n${JSON.stringify(readingAt(rows, row, series))}`;
    }
    yield text;
  }
  yield "\n]}\n";
}

/** RFC 4180 with a header line: time, agency, sensor, then the fields; a field that a reading does not have is empty. */
export async function* readingsAsCsv(
  rows: ReadingRows,
  series: ReadonlyMap<number, SeriesEntry>,
): AsyncGenerator<string> {
  yield stringify([["time", "agency", "sensor", ...rows.fields]]);
  for await (const [start, end] of turns(rows.time.length)) {
    const records = [];
    for (let row = start; row < end; row += 1) {
      const entry = series.get(rows.series[row]!);
      const values = rows.values.map((column) => column[row]);
      records.push([isoTime(rows.time[row]!), entry?.agency, entry?.sensor, ...values]);
    }
    yield stringify(records, { cast: { boolean: String } });
  }
}

/** Milliseconds since 1970 as RFC 3339 in UTC. */
export function isoTime(time: number): string {
  return new Date(time).toISOString();
}

function readingAt(rows: ReadingRows, row: number, series: ReadonlyMap<number, SeriesEntry>): object {
  const entry = series.get(rows.series[row]!);
  const reading: Record<string, unknown> = {
    time: isoTime(rows.time[row]!),
    agency: entry?.agency,
    sensor: entry?.sensor,
  };
  for (const [index, name] of rows.fields.entries()) {
    const value = rows.values[index]?.[row] ?? null;
    if (value !== null) reading[name] = value;
  }
  return reading;
}

async function* turns(length: number): AsyncGenerator<readonly [start: number, end: number]> {
  for (let start = 0; start < length; start += ROWS_A_TURN) {
    if (start > 0) await nextTurn();
    yield [start, Math.min(start + ROWS_A_TURN, length)];
  }
}
