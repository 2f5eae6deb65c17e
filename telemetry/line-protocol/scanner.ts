import type { Catalogue, Measurement } from "../catalogue.ts";
import { hasAt, isDigit } from "../bytes.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "../decode.ts";
import { addReading } from "../reading.ts";
import type { ReadingTable } from "../reading-table.ts";
import { lineRejection, readKey, readLine, textOf } from "./oracle.ts";
import { hashByte, hashSeed } from "./series-index.ts";
import type { SeriesIndex } from "./series-index.ts";
import { ValueScanner } from "./value-scanner.ts";

/**
 * Line protocol from bytes to columns, for rate: no object and no string for an accepted reading of a known series
 * (tests/bench/scanner.bench.ts: ten times its oracle).
 *
 * It knows only the good way through a line. Whatever is not plainly good (a refused line, an odd but valid one) is read again by
 * `readLine`, so that the grammar, the order of checks and the reasons are stated once, in `oracle.ts`.
 */
export class LineScanner {
  readonly #plans: FieldPlan[];
  readonly #count: DecodeCount = { accepted: 0, seen: 0, refused: 0 };
  readonly #value = new ValueScanner();
  /** Where the line that was taken last is followed by the next. */
  #nextLine = 0;

  /** @param catalogue  The one that the contexts' tables are made from. */
  constructor(catalogue: Catalogue) {
    this.#plans = catalogue.measurements.map(planFields);
  }

  /** Measurements that were put behind those that it knows, in the catalogue and in the contexts' tables. */
  addMeasurements(measurements: readonly Measurement[]): void {
    this.#plans.push(...measurements.map(planFields));
  }

  /**
   * Adds the readings of `bytes[start, end)` to the context's tables.
   * @param index  The agency's known series; new ones are added.
   * @returns The same object each time, valid until the next call.
   */
  scan(
    bytes: Uint8Array,
    start: number,
    end: number,
    index: SeriesIndex,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): DecodeCount {
    const count = this.#count;
    count.accepted = 0;
    count.seen = 0;
    count.refused = 0;
    const { seen } = context;
    let ordinal = 0;
    let at = start;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === space || byte === tab || byte === lineFeed) {
        at += 1;
        continue;
      }
      if (byte === hash || (byte === carriageReturn && endsLine(bytes, at, end))) {
        at = lineAfter(bytes, at, end);
        continue;
      }
      if (seen !== undefined && seen(ordinal)) {
        count.seen += 1;
        at = lineAfter(bytes, at, end);
      } else if (this.#scanLine(bytes, at, end, index, resolve, context)) {
        count.accepted += 1;
        at = this.#nextLine;
      } else {
        const next = lineAfter(bytes, at, end);
        if (readOddLine(bytes, at, next, ordinal, resolve, context)) count.accepted += 1;
        else count.refused += 1;
        at = next;
      }
      ordinal += 1;
    }
    return count;
  }

  /** Adds the reading of a plainly good line and sets `#nextLine`; false, and no row, for any other. */
  #scanLine(
    bytes: Uint8Array,
    start: number,
    end: number,
    index: SeriesIndex,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): boolean {
    let at = start;
    let keyHash = hashSeed;
    while (at < end && bytes[at]! > space) {
      keyHash = hashByte(keyHash, bytes[at]!);
      at += 1;
    }
    if (at >= end || bytes[at] !== space) return false;
    let entry = index.find(bytes, start, at, keyHash);
    if (entry === -1) {
      const series = readKey(textOf(bytes, start, at), resolve, context);
      if ("reason" in series) return false;
      entry = index.add(bytes, start, at, keyHash, series.measurement, series.handle);
    }
    if (index.gateway[entry] !== context.gateway) return false;

    const measurement = index.measurement[entry]!;
    const table = context.tables[measurement]!;
    const row = table.nextRow();
    at = this.#scanFields(bytes, at + 1, end, this.#plans[measurement]!, table, row);
    if (at === -1) return false;

    const digitsStart = at;
    let time = 0;
    while (at < end && isDigit(bytes[at]!)) {
      time = time * 10 + (bytes[at]! - zero);
      at += 1;
    }
    // 15 digits are exact, and milliseconds of the next 30,000 years.
    if (at === digitsStart || at - digitsStart > 15) return false;
    if (at < end && bytes[at] === carriageReturn) at += 1;
    if (at < end && bytes[at] !== lineFeed) return false;
    if (time > context.now + context.maxFuture || time < context.now - context.maxAge) return false;

    table.time[row] = time;
    table.series[row] = index.series[entry]!;
    table.commitRow(context.gateway);
    this.#nextLine = at + 1;
    return true;
  }

  /** Fills the row's values. @returns Where the time begins; -1: not plainly good. */
  #scanFields(
    bytes: Uint8Array,
    start: number,
    end: number,
    plan: FieldPlan,
    table: ReadingTable,
    row: number,
  ): number {
    const { values } = table;
    for (let i = 0; i < values.length; i += 1) values[i]![row] = Number.NaN;
    const scanned = this.#value;
    let at = start;
    let expected = 0;
    for (;;) {
      const field = findField(plan, expected, bytes, at, end);
      if (field === -1) return -1;
      expected = field + 1;
      at += plan.names[field]!.length;

      const type = plan.types[field]!;
      const value = type === boolean ? scanned.boolean(bytes, at, end) : scanned.number(bytes, at, end);
      // NaN, which is no value, fails here too.
      if (!(value >= plan.lows[field]! && value <= plan.highs[field]!)) return -1;
      if (type === integer && !Number.isSafeInteger(value)) return -1;
      values[field]![row] = value;

      at = scanned.end;
      if (at >= end) return -1;
      const delimiter = bytes[at]!;
      at += 1;
      if (delimiter === space) return at;
      if (delimiter !== comma) return -1;
    }
  }
}

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const hash = 0x23;
const comma = 0x2c;
const zero = 0x30;

/** What the scanner needs of a measurement's fields, by the field's index. */
interface FieldPlan {
  /** `name=` */
  readonly names: readonly Uint8Array[];
  readonly types: readonly number[];
  /** The physical range; finite, so that it holds no infinity. */
  readonly lows: Float64Array;
  readonly highs: Float64Array;
}

const float = 0;
const integer = 1;
const boolean = 2;
const typeCodes = { float, integer, boolean } as const;

function planFields({ fields }: Measurement): FieldPlan {
  const encoder = new TextEncoder();
  return {
    names: fields.map(({ name }) => encoder.encode(`${name}=`)),
    types: fields.map(({ type }) => typeCodes[type]),
    lows: Float64Array.from(fields, ({ physical }) => physical[0] ?? -Number.MAX_VALUE),
    highs: Float64Array.from(fields, ({ physical }) => physical[1] ?? Number.MAX_VALUE),
  };
}

/** The field whose `name=` stands at `at`, tried from `expected` on; -1: none. */
function findField(plan: FieldPlan, expected: number, bytes: Uint8Array, at: number, end: number): number {
  const { names } = plan;
  for (let tried = 0; tried < names.length; tried += 1) {
    const field = (expected + tried) % names.length;
    const name = names[field]!;
    if (at + name.length < end && hasAt(bytes, at, name)) return field;
  }
  return -1;
}

/** Reads a line that is not plainly good. @returns Whether its reading was taken. */
function readOddLine(
  bytes: Uint8Array,
  start: number,
  next: number,
  ordinal: number,
  resolve: ResolveSeries,
  context: DecodeContext,
): boolean {
  let end = next;
  if (bytes[end - 1] === lineFeed) end -= 1;
  if (bytes[end - 1] === carriageReturn) end -= 1;
  const reading = readLine(textOf(bytes, start, end), resolve, context);
  if ("reason" in reading) {
    context.reject(lineRejection(bytes, start, end, ordinal, reading));
    return false;
  }
  addReading(reading, context);
  return true;
}

/** Where the line after the one at `at` begins, or `end`. */
function lineAfter(bytes: Uint8Array, at: number, end: number): number {
  const found = bytes.indexOf(lineFeed, at);
  return found === -1 || found >= end ? end : found + 1;
}

/** Is the carriage return at `at` part of the line's end? */
function endsLine(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 1 === end || bytes[at + 1] === lineFeed;
}
