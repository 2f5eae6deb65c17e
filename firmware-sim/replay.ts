import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "csv-parse";
import type { Catalogue, FieldType } from "#telemetry/catalogue.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { LineSender } from "./line-sender.ts";
import type { ColumnMap } from "./replay-map.ts";
import { parseStamp, StampResolver } from "./replay-time.ts";
import type { Zone } from "./zone.ts";

export interface ReplayOptions {
  readonly file: string;
  readonly maps: readonly ColumnMap[];
  readonly catalogue: Catalogue;
  /** The column with the event times; the first one, if not given. */
  readonly timeColumn?: string | undefined;
  /** What stamps without a zone of their own are in. */
  readonly zone: Zone;
  /** Stamps name the end of an interval of this length (`StampResolver`); 0 = they name instants. */
  readonly interval_ms?: number;
  /** Readings a second; as fast as the agent takes them, if not given. */
  readonly rate?: number | undefined;
  readonly sender: LineSender;
  readonly signal: AbortSignal;
}

/** What became of a file. Rows and cells that were not sent are counted, and the first of each kind told in `problems`. */
export interface ReplaySummary {
  /** Data rows read. */
  rows: number;
  /** Readings sent: lines, each with one or more fields. */
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

/** A line of one measurement and sensor, and where its fields stand in a row. */
interface Series {
  readonly head: string;
  readonly fields: readonly { readonly key: string; readonly type: FieldType; readonly cell: number }[];
}

const chunkBytes = 64 * 1024;
const maxProblems = 20;
/** How often a limited rate catches up, ms. */
const pace_ms = 50;

/**
 * Plays a recorded file through a line sender, with its event times, in its order, without ever holding more than a chunk of it.
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
  await options.sender.flushed();
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
  #lines = "";
  #started_ms = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#resolver = new StampResolver(options.zone, options.interval_ms);
  }

  async play(rows: AsyncIterable<string[]>): Promise<void> {
    let series: Series[] | undefined;
    let timeCell = 0;
    this.#started_ms = performance.now();
    for await (const row of rows) {
      if (series === undefined) {
        const { timeColumn, maps, catalogue } = this.#options;
        timeCell = timeColumn === undefined ? 0 : cellOf(row, timeColumn);
        series = seriesOf(row, maps, catalogue);
        continue;
      }
      this.#counts.rows += 1;
      this.#playRow(row, timeCell, series);
      await this.#pace();
      if (this.#lines.length >= chunkBytes) await this.#send();
    }
    if (series === undefined) throw new MarsadError("NOT_FOUND", `${this.#options.file} is empty`);
    await this.#send();
  }

  summary(): ReplaySummary {
    const { sent } = this.#counts;
    const [first, last] = sent === 0 ? [null, null] : [iso(this.#first), iso(this.#last)];
    return { ...this.#counts, first, last, problems: this.#problems };
  }

  #playRow(row: readonly string[], timeCell: number, series: readonly Series[]): void {
    const text = row[timeCell] ?? "";
    const stamp = parseStamp(text);
    if (stamp === undefined) {
      this.#count("bad_times", `"${text.slice(0, 40)}" is not a time`);
      return;
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

    for (const { head, fields } of series) {
      const values = fields.flatMap(({ key, type, cell }) => {
        const value = this.#value(row[cell] ?? "", type);
        return value === undefined ? [] : `${key}${value}`;
      });
      if (values.length === 0) continue;
      this.#lines += `${head}${values.join(",")} ${utc}\n`;
      this.#counts.sent += 1;
      this.#first = Math.min(this.#first, utc);
      this.#last = Math.max(this.#last, utc);
    }
  }

  #value(cell: string, type: FieldType): string | undefined {
    if (gap.test(cell)) {
      this.#counts.gaps += 1;
      return undefined;
    }
    const value = fieldValue(cell, type);
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
    await this.#send();
    await sleep(due_ms, undefined, { signal });
  }

  async #send(): Promise<void> {
    if (this.#lines === "") return;
    const chunk = Buffer.from(this.#lines);
    this.#lines = "";
    await this.#options.sender.write(chunk);
  }
}

/** What files write for "nothing was measured". */
const gap = /^(?:nan|na|n\/a|null|none|-)?$/i;
const decimalNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A cell as line protocol has it, of the same value; undefined when it is none of this type. */
function fieldValue(cell: string, type: FieldType): string | undefined {
  if (type === "boolean") {
    if (/^(?:1|t|true|yes|on)$/i.test(cell)) return "true";
    return /^(?:0|f|false|no|off)$/i.test(cell) ? "false" : undefined;
  }
  const value = decimalNumber.test(cell) ? Number(cell) : Number.NaN;
  if (type === "integer") return Number.isSafeInteger(value) ? `${value}i` : undefined;
  return Number.isFinite(value) ? String(value) : undefined;
}

/** Maps onto the same measurement and sensor share a line, in the order given. */
function seriesOf(header: readonly string[], maps: readonly ColumnMap[], catalogue: Catalogue): Series[] {
  const lines = new Map<string, { head: string; fields: { key: string; type: FieldType; cell: number }[] }>();
  for (const { measurement, field, column, sensor } of maps) {
    const head = `${measurement},sensor=${sensor} `;
    const line = lines.get(head) ?? { head, fields: [] };
    lines.set(head, line);
    const key = `${field}=`;
    if (line.fields.some((other) => other.key === key)) {
      const message = `--map: ${measurement}.${field} of sensor ${sensor} is mapped twice; name sensors with @SENSOR`;
      throw new MarsadError("CONFIG_INVALID", message);
    }
    const type = catalogue.measurements[catalogue.indexOf(measurement)!]!.fields.find(
      ({ name }) => name === field,
    )!.type;
    line.fields.push({ key, type, cell: cellOf(header, column) });
  }
  return [...lines.values()];
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
