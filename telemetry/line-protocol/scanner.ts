import type { Catalogue, Field, Measurement } from "../catalogue.ts";
import { isDigit } from "../bytes.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "../decode.ts";
import { addReading } from "../reading.ts";
import { lineRejection, readKey, readLine, textOf } from "./oracle.ts";
import { hashByte, hashSeed } from "./series-index.ts";
import type { SeriesIndex } from "./series-index.ts";
import { ValueScanner } from "./value-scanner.ts";

/**
 * Line protocol from bytes to columns, for rate: no object and no string for an accepted reading of a known series
 * (tests/bench/scanner.bench.ts: 16 times its oracle).
 *
 * It guesses that the sensors of a gateway, and the fields of a measurement, come in the order of last time, and compares the next key or name
 * with the guess four bytes at a time; only a wrong guess costs a hash or a search. It knows only the good way through a line. Whatever is not plainly
 * good (a refused line, an odd but valid one) is read again by `readLine`, so that the grammar, the order of checks and the reasons are stated once, in
 * `oracle.ts`.
 */
export class LineScanner {
  readonly #plans: FieldPlan[];
  readonly #count: DecodeCount = { accepted: 0, seen: 0, refused: 0 };
  readonly #value = new ValueScanner();
  /** The payload, a line feed and zeros: always the same memory, and no end to look out for within a line. */
  #text = new Uint8Array(firstTextBytes);
  #words = new DataView(this.#text.buffer);
  /** By gateway: the entry of its latest line, in the index of its agency. */
  #latest = new Uint32Array(64);
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
    const { gateway, seen } = context;
    const length = end - start;
    this.#copy(bytes, start, end);
    const text = this.#text;
    if (gateway >= this.#latest.length) this.#latest = grown(this.#latest, gateway);
    let ordinal = 0;
    let at = 0;
    while (at < length) {
      const byte = text[at]!;
      if (byte <= hash) {
        if (byte === space || byte === tab || byte === lineFeed) {
          at += 1;
          continue;
        }
        if (byte === hash || (byte === carriageReturn && text[at + 1] === lineFeed)) {
          at = lineAfter(text, at, length);
          continue;
        }
      }
      if (seen !== undefined && seen(ordinal)) {
        count.seen += 1;
        at = lineAfter(text, at, length);
      } else if (this.#scanLine(at, index, resolve, context)) {
        count.accepted += 1;
        at = this.#nextLine;
      } else {
        const next = lineAfter(text, at, length);
        if (readOddLine(bytes, start + at, start + next, ordinal, resolve, context)) count.accepted += 1;
        else count.refused += 1;
        at = next;
      }
      ordinal += 1;
    }
    return count;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length + paddingBytes > this.#text.length) {
      this.#text = new Uint8Array(2 * length + paddingBytes);
      this.#words = new DataView(this.#text.buffer);
    }
    // Most messages begin with their first line: no view of a part is made for them.
    this.#text.set(length === bytes.length ? bytes : bytes.subarray(start, end));
    this.#words.setFloat64(length, 0);
    this.#words.setFloat64(length + 8, 0);
    this.#text[length] = lineFeed;
  }

  /** Adds the reading of a plainly good line and sets `#nextLine`; false, and no row, for any other. */
  #scanLine(start: number, index: SeriesIndex, resolve: ResolveSeries, context: DecodeContext): boolean {
    const text = this.#text;
    const words = this.#words;
    const { gateway } = context;
    const latest = this.#latest[gateway]!;
    let entry = latest < index.size ? index.follower[latest]! : 0;
    let at = start + index.lengthAt(entry, words, start);
    if (at === start || text[at] !== space) {
      let keyHash = hashSeed;
      at = start;
      while (text[at]! > space) {
        keyHash = hashByte(keyHash, text[at]!);
        at += 1;
      }
      if (text[at] !== space) return false;
      entry = index.find(text, start, at, keyHash);
      if (entry === -1) {
        const series = readKey(textOf(text, start, at), resolve, context);
        if ("reason" in series) return false;
        entry = index.add(text, start, at, keyHash, series.measurement, series.handle);
      }
      if (latest < index.size) index.follower[latest] = entry;
    }
    this.#latest[gateway] = entry;
    if (index.gateway[entry] !== gateway) return false;

    const measurement = index.measurement[entry]!;
    const table = context.tables[measurement]!;
    const row = table.nextRow();
    at = this.#scanFields(at + 1, this.#plans[measurement]!, table.values, row);
    if (at === -1) return false;

    let time = 0;
    const first = fourDigits(words.getInt32(at, true));
    const second = fourDigits(words.getInt32(at + 4, true));
    const third = fourDigits(words.getInt32(at + 8, true));
    const digitsStart = at;
    // The times of our century have 13 digits.
    if ((first | second | third) >= 0) {
      time = first * 1e8 + (second * 1e4 + third);
      at += 12;
    }
    while (isDigit(text[at]!)) {
      time = time * 10 + (text[at]! - zero);
      at += 1;
    }
    // 15 digits are exact, and milliseconds of the next 30,000 years.
    if (at === digitsStart || at - digitsStart > 15) return false;
    if (text[at] === carriageReturn) at += 1;
    if (text[at] !== lineFeed) return false;
    if (time > context.now + context.maxFuture || time < context.now - context.maxAge) return false;

    table.time[row] = time;
    table.series[row] = index.series[entry]!;
    table.commitRow(gateway);
    this.#nextLine = at + 1;
    return true;
  }

  /** Fills the row's values. @returns Where the time begins; -1: not plainly good. */
  #scanFields(start: number, plan: FieldPlan, values: Float64Array[], row: number): number {
    for (let i = 0; i < values.length; i += 1) values[i]![row] = Number.NaN;
    const text = this.#text;
    const words = this.#words;
    const { names, followers } = plan;
    let at = start;
    /** Of the field before, from 1; 0: none. */
    let before = 0;
    for (;;) {
      let field = followers[before]!;
      if (!names[field]!.standsAt(words, at)) {
        field = findField(names, words, at);
        if (field === -1) return -1;
        followers[before] = field;
      }
      before = field + 1;
      const { length, type, low, high } = names[field]!;
      at += length;

      let value: number;
      if (type === boolean) {
        value = this.#value.boolean(text, at, text.length);
        at = this.#value.end;
      } else {
        // Up to 9 digits with a point among them, in small integers; all else is the value scanner's.
        const valueStart = at;
        const negative = text[at] === minus;
        if (negative) at += 1;
        const digitsStart = at;
        let mantissa = 0;
        let digit = text[at]! - zero;
        while (digit >= 0 && digit <= 9) {
          mantissa = (Math.imul(mantissa, 10) + digit) | 0;
          at += 1;
          digit = text[at]! - zero;
        }
        let digits = at - digitsStart;
        let fraction = 0;
        if (digit === pointDigit && digits > 0) {
          at += 1;
          const fractionStart = at;
          digit = text[at]! - zero;
          while (digit >= 0 && digit <= 9) {
            mantissa = (Math.imul(mantissa, 10) + digit) | 0;
            at += 1;
            digit = text[at]! - zero;
          }
          fraction = at - fractionStart;
          digits = fraction === 0 ? 0 : digits + fraction;
        }
        if (digits >= 1 && digits <= 9 && (digit === commaDigit || digit === spaceDigit)) {
          // Both operands are exact, so the one rounding is the right one (Clinger 1990).
          value = fraction === 0 ? mantissa : mantissa / powersOfTen[fraction]!;
          if (negative) value = -value;
        } else {
          value = this.#value.number(text, valueStart, text.length);
          at = this.#value.end;
        }
      }
      // NaN, which is no value, fails here too.
      if (!(value >= low && value <= high)) return -1;
      if (type === integer && !Number.isSafeInteger(value)) return -1;
      values[field]![row] = value;

      const delimiter = text[at]!;
      at += 1;
      if (delimiter === space) return at;
      if (delimiter !== comma) return -1;
    }
  }
}

const firstTextBytes = 64 * 1024;
/** A line feed, and more zeros than any word or name is read beyond the end. */
const paddingBytes = 16;

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const hash = 0x23;
const comma = 0x2c;
const minus = 0x2d;
const zero = 0x30;
/** As differences to `zero`. */
const spaceDigit = 0x20 - 0x30;
const commaDigit = 0x2c - 0x30;
const pointDigit = 0x2e - 0x30;
const powersOfTen = Float64Array.from({ length: 10 }, (_, power) => 10 ** power);

/** What the scanner needs of a measurement's fields. */
interface FieldPlan {
  /** By the field's index. */
  readonly names: readonly PlannedField[];
  /** Which field came last time behind the field whose index is one less, and at 0 which came first. */
  readonly followers: Uint16Array;
}

const float = 0;
const integer = 1;
const boolean = 2;
const typeCodes = { float, integer, boolean } as const;

function planFields({ fields }: Measurement): FieldPlan {
  return {
    names: fields.map((field) => new PlannedField(field)),
    followers: Uint16Array.from({ length: fields.length + 1 }, (_, field) => field % fields.length),
  };
}

class PlannedField {
  /** Of `name=`. */
  readonly length: number;
  readonly type: number;
  /** The physical range; finite, so that it holds no infinity. */
  readonly low: number;
  readonly high: number;
  /** `name=` as little-endian words, the last one with zeros behind it, and which of its bits count. */
  readonly #words: Int32Array;
  readonly #lastMask: number;

  constructor({ name, type, physical }: Field) {
    const bytes = new TextEncoder().encode(`${name}=`);
    this.length = bytes.length;
    this.type = typeCodes[type];
    this.low = physical[0] ?? -Number.MAX_VALUE;
    this.high = physical[1] ?? Number.MAX_VALUE;
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    this.#words = new Int32Array(padded.buffer);
    this.#lastMask = -1 >>> (8 * (padded.length - bytes.length));
  }

  standsAt(text: DataView, at: number): boolean {
    const words = this.#words;
    const last = words.length - 1;
    if (at + 4 * words.length > text.byteLength) return false;
    for (let i = 0; i < last; i += 1) {
      if (text.getInt32(at + 4 * i, true) !== words[i]) return false;
    }
    return ((text.getInt32(at + 4 * last, true) ^ words[last]!) & this.#lastMask) === 0;
  }
}

/** The field whose `name=` stands at `at`; -1: none. */
function findField(names: readonly PlannedField[], text: DataView, at: number): number {
  for (let field = 0; field < names.length; field += 1) if (names[field]!.standsAt(text, at)) return field;
  return -1;
}

/** The number that four ASCII digits in a little-endian word mean; negative: they are not all digits. */
function fourDigits(word: number): number {
  const digits = word ^ 0x30303030;
  // A digit is now 0-9: neither it nor it plus 6 reaches into the upper half of its byte.
  if (((digits | (digits + 0x06060606)) & 0xf0f0f0f0) !== 0) return -1;
  const pairs = Math.imul(digits, 10) + (digits >> 8);
  return (pairs & 0xff) * 100 + ((pairs >> 16) & 0xff);
}

function grown(numbers: Uint32Array<ArrayBuffer>, index: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(index + 1, 2 * numbers.length));
  larger.set(numbers);
  return larger;
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
