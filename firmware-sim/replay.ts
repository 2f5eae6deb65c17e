import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "csv-parse";
import type { FieldType } from "#telemetry/catalogue.ts";
import { MarsadError } from "#runtime/errors.ts";
import { cellValue, isGap, type CellValue, type ReplaySink, type Series } from "./replay-series.ts";
import { parseStamp, StampResolver } from "./replay-time.ts";
import type { Zone } from "#telemetry/zone.ts";

export interface ReplayOptions {
  readonly file: string;
  readonly series: readonly Series[];
  /** The column with the event times; the first one, if not given. */
  readonly timeColumn?: string | undefined;
  /** What stamps without a zone of their own are in. */
  readonly zone: Zone;
  /** Stamps name the end of an interval of this length (`StampResolver`); 0 = they name instants. */
  readonly interval_ms?: number;
  /** Readings a second; as fast as the agent takes them, if not given. */
  readonly rate?: number | undefined;
  readonly sink: ReplaySink;
  readonly signal: AbortSignal;
}

/** What became of a file. Rows and cells that were not sent are counted, and the first of each kind told in `problems`. */
export interface ReplaySummary {
  /** Data rows read. */
  rows: number;
  /** Readings sent, each with one or more fields. */
  sent: number;
  /** Empty cells of mapped columns. */
  gaps: number;
  /** Cells that are not numbers: not sent. */
  bad_values: number;
  /** Rows whose time cannot be read: not sent. */
  bad_times: number;
  /** Rows with a local time that no clock showed: sent as if the clock had not been changed. */
  skipped_hour: number;
  /** Rows in the second pass of an hour that the clock repeated. */
  repeated_hour: number;
  /** Rows with the same instant as the row before: what a store keeps is the last. */
  same_time: number;
  /** Earliest and latest event time sent, ISO 8601. */
  first: string | null;
  last: string | null;
  problems: string[];
}

const maxProblems = 20;
/** How often a limited rate catches up, ms. */
const pace_ms = 50;

/** A series and where its fields stand in a row. */
interface PlacedSeries {
  readonly fields: readonly { readonly type: FieldType; readonly cell: number }[];
}

/**
 * Plays a recorded file into a sink, with its event times, in its order, without ever holding more than a part of it. Resolves when all has
 * arrived.
 * @throws MarsadError NOT_FOUND: no such file or column.
 */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const { file, signal } = options;
  const player = new Player(options);
  try {
    await pipeline(
      createReadStream(file),
      parse({ bom: true, relax_column_count: true, skip_empty_lines: true, trim: true }),
      (rows: AsyncIterable<string[]>) => player.play(rows),
      { signal },
    );
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new MarsadError("NOT_FOUND", `there is no file ${file}`, { cause: error });
    throw error;
  }
  await options.sink.finish();
  return player.summary();
}

class Player {
  readonly #options: ReplayOptions;
  readonly #resolver: StampResolver;
  readonly #counts = {
    rows: 0,
    sent: 0,
    gaps: 0,
    bad_values: 0,
    bad_times: 0,
    skipped_hour: 0,
    repeated_hour: 0,
    same_time: 0,
  };
  readonly #problems: string[] = [];
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  #before = Number.NaN;
  #started_ms = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#resolver = new StampResolver(options.zone, options.interval_ms);
  }

  async play(rows: AsyncIterable<string[]>): Promise<void> {
    const { timeColumn, series, file } = this.#options;
    let placed: PlacedSeries[] | undefined;
    let timeCell = 0;
    this.#started_ms = performance.now();
    for await (const row of rows) {
      if (placed === undefined) {
        timeCell = timeColumn === undefined ? 0 : cellOf(row, timeColumn);
        placed = series.map(({ fields }) => ({
          fields: fields.map(({ type, column }) => ({ type, cell: cellOf(row, column) })),
        }));
        continue;
      }
      this.#counts.rows += 1;
      const utc = this.#timeOf(row[timeCell] ?? "");
      if (utc !== undefined) await this.#playRow(row, utc, placed);
      await this.#pace();
    }
    if (placed === undefined) throw new MarsadError("NOT_FOUND", `${file} is empty`);
  }

  summary(): ReplaySummary {
    const { sent } = this.#counts;
    const [first, last] = sent === 0 ? [null, null] : [iso(this.#first), iso(this.#last)];
    return { ...this.#counts, first, last, problems: this.#problems };
  }

  #timeOf(text: string): number | undefined {
    const stamp = parseStamp(text);
    if (stamp === undefined) {
      this.#count("bad_times", `"${text.slice(0, 40)}" is not a time`);
      return undefined;
    }
    const { utc, resolution } = this.#resolver.resolve(stamp);
    if (resolution === "skipped-hour")
      this.#count(
        "skipped_hour",
        `${text} does not exist in ${this.#options.zone.name}; taken as ${iso(utc)}`,
      );
    if (resolution === "repeated-hour") this.#counts.repeated_hour += 1;
    if (utc === this.#before)
      this.#count("same_time", `${text} is the same instant as the row before: ${iso(utc)}`);
    this.#before = utc;
    return utc;
  }

  async #playRow(row: readonly string[], utc: number, series: readonly PlacedSeries[]): Promise<void> {
    const { sink } = this.#options;
    for (const [index, { fields }] of series.entries()) {
      const values = fields.map(({ type, cell }) => this.#value(row[cell] ?? "", type));
      if (values.every((value) => value === undefined)) continue;
      this.#counts.sent += 1;
      this.#first = Math.min(this.#first, utc);
      this.#last = Math.max(this.#last, utc);
      const pause = sink.take(index, utc, values);
      if (pause !== undefined) await pause;
    }
  }

  #value(cell: string, type: FieldType): CellValue {
    if (isGap(cell)) {
      this.#counts.gaps += 1;
      return undefined;
    }
    const value = cellValue(cell, type);
    if (value === undefined) this.#count("bad_values", `"${cell.slice(0, 40)}" is no ${type} value`);
    return value;
  }

  #count(what: "bad_times" | "bad_values" | "skipped_hour" | "same_time", problem: string): void {
    this.#counts[what] += 1;
    if (this.#problems.length < maxProblems) this.#problems.push(`row ${this.#counts.rows}: ${problem}`);
  }

  async #pace(): Promise<void> {
    const { rate, signal } = this.#options;
    if (rate === undefined) return;
    const due_ms = (this.#counts.sent / rate) * 1000 - (performance.now() - this.#started_ms);
    if (due_ms < pace_ms) return;
    await this.#options.sink.flush();
    await sleep(due_ms, undefined, { signal });
  }
}

function cellOf(header: readonly string[], column: string): number {
  const cell = header.indexOf(column);
  if (cell < 0) {
    const names = header.slice(0, 30).join(", ");
    throw new MarsadError("NOT_FOUND", `the file has no column "${column}"; it has ${names}`);
  }
  return cell;
}

function iso(utc: number): string {
  return new Date(utc).toISOString();
}
