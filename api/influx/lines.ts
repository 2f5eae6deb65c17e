import { hasAt } from "#telemetry/bytes.ts";

/** What a client of InfluxDB counts its times in. */
export const precisions = ["ns", "us", "ms", "s", "m", "h"] as const;
export type Precision = (typeof precisions)[number];

export interface LineTimes {
  readonly precision: Precision;
  /** Of readings that say no time: when they arrived, ms since 1970. */
  readonly now: number;
}

/** Bytes of a line; a longer one is cut and ends in `…`, so that it is refused and its beginning says what it was. */
export const maxLineBytes = 64 * 1024;
/** Bytes from which on a piece is given away. */
const pieceBytes = 128 * 1024;

/**
 * InfluxDB's lines as a gateway would send them: milliseconds, rounded (half away from zero); the tag `host`, which Telegraf adds to say who sent it,
 * left out, as the credentials say that; no comments, no blank lines, single spaces. All else stays as it is, right or wrong: ingest judges it.
 *
 * A line ends as InfluxDB ends it: not within a quoted value, nor behind a backslash. Such a line end becomes a blank, or what stands in a text could be taken
 * for a reading.
 *
 * Byte by byte into one piece after another, each of whole lines and valid until the next: no object a line.
 */
export function* rewriteLines(bytes: Uint8Array, times: LineTimes): Generator<Uint8Array> {
  const rewriter = new LineRewriter(bytes, times);
  for (;;) {
    const piece = rewriter.next();
    if (piece.length === 0) return;
    yield piece;
  }
}

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;
const hash = 0x23;
const comma = 0x2c;
const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;
const equals = 0x3d;
const backslash = 0x5c;
const ellipsis = new TextEncoder().encode("…");
const hostTag = new TextEncoder().encode(",host=");

/** How many digits of a time fall away, and what is left is multiplied with. */
const scales: Readonly<Record<Precision, readonly [dropped: number, factor: number]>> = {
  ns: [6, 1],
  us: [3, 1],
  ms: [0, 1],
  s: [0, 1_000],
  m: [0, 60_000],
  h: [0, 3_600_000],
};
/** Digits of the farthest time that is passed on: a whole double, and refused as far in the future, or past. */
const mostDigits = 15;
const farthest = 10 ** mostDigits - 1;

class LineRewriter {
  readonly #bytes: Uint8Array;
  readonly #dropped: number;
  readonly #factor: number;
  readonly #now: number;
  readonly #out: Uint8Array;
  #at = 0;
  #length = 0;

  constructor(bytes: Uint8Array, { precision, now }: LineTimes) {
    this.#bytes = bytes;
    // The longest line fits behind a piece that is not full; the shortest becomes six times as long by its time.
    this.#out = new Uint8Array(Math.min(pieceBytes + maxLineBytes + 64, 6 * bytes.length + 64));
    [this.#dropped, this.#factor] = scales[precision];
    this.#now = now;
  }

  /** Empty: there is no more. */
  next(): Uint8Array {
    const bytes = this.#bytes;
    this.#length = 0;
    while (this.#at < bytes.length && this.#length < pieceBytes) {
      const byte = bytes[this.#at]!;
      if (isBlank(byte) || byte === lineFeed || byte === carriageReturn) this.#at += 1;
      else if (byte === hash) this.#at = this.#lineEnd(this.#at);
      else this.#line();
    }
    return this.#out.subarray(0, this.#length);
  }

  #line(): void {
    const start = this.#at;
    const begun = this.#length;
    const keyEnd = this.#keyEnd(start);
    const fieldsStart = this.#afterBlanks(keyEnd);
    const fieldsEnd = this.#fieldsEnd(fieldsStart);
    const timeStart = this.#afterBlanks(fieldsEnd);
    const end = this.#lineEnd(timeStart);
    this.#at = end;
    if (end - start > maxLineBytes) {
      this.#cut(start);
      return;
    }
    this.#key(start, this.#beforeBlanks(start, keyEnd));
    const lastField = this.#beforeBlanks(fieldsStart, fieldsEnd);
    if (lastField > fieldsStart) {
      this.#put(space);
      this.#copy(fieldsStart, lastField);
      this.#put(space);
      const timeEnd = this.#beforeBlanks(timeStart, end);
      if (timeEnd === timeStart) this.#number(this.#now, false);
      else this.#time(timeStart, timeEnd);
    }
    if (this.#length > begun) this.#put(lineFeed);
  }

  /** Where the key ends that begins at `at`: at a blank, or with the line. */
  #keyEnd(at: number): number {
    const bytes = this.#bytes;
    while (at < bytes.length && bytes[at] !== space && bytes[at] !== lineFeed)
      at += bytes[at] === backslash ? 2 : 1;
    return Math.min(at, bytes.length);
  }

  #fieldsEnd(at: number): number {
    const bytes = this.#bytes;
    let isQuoted = false;
    let isValue = false;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (byte === backslash) at += 1;
      else if (byte === quote && isValue) isQuoted = !isQuoted;
      else if (!isQuoted) {
        if (byte === space || byte === lineFeed) break;
        if (byte === equals) isValue = true;
        else if (byte === comma) isValue = false;
      }
      at += 1;
    }
    return Math.min(at, bytes.length);
  }

  #lineEnd(at: number): number {
    const found = this.#bytes.indexOf(lineFeed, at);
    return found === -1 ? this.#bytes.length : found;
  }

  #afterBlanks(at: number): number {
    while (at < this.#bytes.length && isBlank(this.#bytes[at]!)) at += 1;
    return at;
  }

  /** Without the blanks at its end, and the half of a line end that a carriage return is. */
  #beforeBlanks(start: number, end: number): number {
    while (end > start && (isBlank(this.#bytes[end - 1]!) || this.#bytes[end - 1] === carriageReturn))
      end -= 1;
    return end;
  }

  /** Measurement and tags, without `host`. */
  #key(start: number, end: number): void {
    const bytes = this.#bytes;
    let partStart = start;
    for (let at = start; at < end; at += 1) {
      if (bytes[at] === backslash) at += 1;
      else if (bytes[at] === comma) {
        this.#keyPart(start, partStart, at);
        partStart = at;
      }
    }
    this.#keyPart(start, partStart, end);
  }

  /** @param start  The measurement's, or of a tag's comma. */
  #keyPart(keyStart: number, start: number, end: number): void {
    const isHost = start > keyStart && end - start >= hostTag.length && hasAt(this.#bytes, start, hostTag);
    if (!isHost) this.#copy(start, end);
  }

  /** In milliseconds; what is no whole number stays as it is. */
  #time(start: number, end: number): void {
    const bytes = this.#bytes;
    const isNegative = bytes[start] === minus;
    const first = isNegative ? start + 1 : start;
    let digits = first;
    while (digits < end && bytes[digits]! >= zero && bytes[digits]! <= nine) digits += 1;
    if (digits !== end || digits === first) {
      this.#copy(start, end);
      return;
    }
    let at = first;
    while (at < end && bytes[at] === zero) at += 1;
    const kept = end - this.#dropped;
    if (kept - at > mostDigits) {
      this.#number(farthest, isNegative);
      return;
    }
    let value = 0;
    for (; at < kept; at += 1) value = value * 10 + (bytes[at]! - zero);
    if (this.#dropped > 0 && kept >= first && bytes[kept]! - zero >= 5) value += 1;
    this.#number(Math.min(value * this.#factor, farthest), isNegative);
  }

  /** @param value  A whole number that is not negative. */
  #number(value: number, isNegative: boolean): void {
    if (isNegative && value > 0) this.#put(minus);
    let count = 1;
    for (let limit = 10; limit <= value; limit *= 10) count += 1;
    let rest = value;
    for (let i = count - 1; i >= 0; i -= 1) {
      const tenth = Math.floor(rest / 10);
      this.#out[this.#length + i] = zero + (rest - 10 * tenth);
      rest = tenth;
    }
    this.#length += count;
  }

  #cut(start: number): void {
    let end = start + maxLineBytes;
    while ((this.#bytes[end]! & 0xc0) === 0x80) end -= 1; // not within a letter
    this.#copy(start, end);
    for (const byte of ellipsis) this.#put(byte);
    this.#put(lineFeed);
  }

  /** @param end  At most a line's length after `start`. */
  #copy(start: number, end: number): void {
    const out = this.#out;
    let length = this.#length;
    for (let at = start; at < end; at += 1) {
      const byte = this.#bytes[at]!;
      out[length++] = byte === lineFeed ? space : byte;
    }
    this.#length = length;
  }

  #put(byte: number): void {
    this.#out[this.#length++] = byte;
  }
}

function isBlank(byte: number): boolean {
  return byte === space || byte === tab;
}
