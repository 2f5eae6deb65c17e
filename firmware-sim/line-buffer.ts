import type { Catalogue, FieldType } from "#telemetry/catalogue.ts";
import type { FieldFormat } from "./devices/device.ts";

/** How one sensor's lines look; made once, used for each of its readings. */
export interface LineShape {
  /** `traffic_flow,sensor=tf-012 ` */
  readonly head: Uint8Array;
  readonly fields: readonly FieldShape[];
}

interface FieldShape {
  /** `vehicles=` */
  readonly key: Uint8Array;
  readonly type: FieldType;
  readonly decimals: number;
  readonly scale: number;
}

/** Longest line that fits: 64 fields with names of 63 bytes. */
const maxLine = 8192;
const ascii = {
  newline: 10,
  space: 32,
  comma: 44,
  minus: 45,
  point: 46,
  zero: 48,
  f: 102,
  i: 105,
  t: 116,
} as const;
const billion = 1e9;

/**
 * Readings as newline-delimited line protocol, written as bytes into one buffer.
 *
 * Digits are made here, not by `toFixed` and template strings: 0.4 instead of 1.4 CPU-s a million lines (README.md). Values keep their
 * field's number of decimals; the unit test has the plain version.
 */
export class LineBuffer {
  readonly #chunkBytes: number;
  #bytes: Buffer;
  #length = 0;
  #lines = 0;
  #lastTime = Number.NaN;
  readonly #timeDigits = new Uint8Array(20);
  #timeLength = 0;

  /** @param chunkBytes `full` from here on. */
  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
    this.#bytes = Buffer.allocUnsafeSlow(chunkBytes + maxLine);
  }

  get length(): number {
    return this.#length;
  }

  get lines(): number {
    return this.#lines;
  }

  get full(): boolean {
    return this.#length >= this.#chunkBytes;
  }

  /** Appends one reading; values that are not finite are absent, and without any there is no line. Call `take` when `full`. */
  append(shape: LineShape, values: Float64Array, time: number): void {
    const bytes = this.#bytes;
    const { head, fields } = shape;
    let at = copy(head, bytes, this.#length);
    let separator = 0;
    for (let i = 0; i < fields.length; i += 1) {
      const value = values[i]!;
      if (!Number.isFinite(value)) continue;
      if (separator !== 0) bytes[at++] = separator;
      separator = ascii.comma;
      at = writeField(fields[i]!, value, bytes, at);
    }
    if (separator === 0) return;
    bytes[at++] = ascii.space;
    if (time !== this.#lastTime) {
      this.#timeLength = writeScaled(time, 0, this.#timeDigits, 0);
      this.#lastTime = time;
    }
    for (let i = 0; i < this.#timeLength; i += 1) bytes[at++] = this.#timeDigits[i]!;
    bytes[at++] = ascii.newline;
    this.#length = at;
    this.#lines += 1;
  }

  /** What was appended since the last call; the receiver may keep it. */
  take(): Buffer {
    const whole = this.#length * 2 > this.#chunkBytes;
    const taken = whole
      ? this.#bytes.subarray(0, this.#length)
      : Buffer.from(this.#bytes.subarray(0, this.#length));
    if (whole) this.#bytes = Buffer.allocUnsafeSlow(this.#chunkBytes + maxLine);
    this.#length = 0;
    this.#lines = 0;
    return taken;
  }
}

/** @throws RangeError when the catalogue does not know the measurement or a field. */
export function lineShape(
  catalogue: Catalogue,
  measurement: string,
  sensor: string,
  fields: readonly FieldFormat[],
): LineShape {
  const index = catalogue.indexOf(measurement);
  const known = index === undefined ? undefined : catalogue.measurements[index];
  if (known === undefined) throw new RangeError(`the catalogue has no measurement ${measurement}`);
  return {
    head: Buffer.from(`${measurement},sensor=${sensor} `),
    fields: fields.map(({ name, decimals }) => {
      const field = known.fields.find((each) => each.name === name);
      if (field === undefined) throw new RangeError(`${measurement} has no field ${name}`);
      return { key: Buffer.from(`${name}=`), type: field.type, decimals, scale: 10 ** decimals };
    }),
  };
}

function writeField(field: FieldShape, value: number, bytes: Uint8Array, at: number): number {
  let end = copy(field.key, bytes, at);
  if (field.type === "boolean") {
    bytes[end] = value === 0 ? ascii.f : ascii.t;
    return end + 1;
  }
  end = writeScaled(Math.round(value * field.scale), field.decimals, bytes, end);
  if (field.type === "integer") bytes[end++] = ascii.i;
  return end;
}

/** Writes the whole number `scaled` with its last `decimals` digits behind the point: 4820, 2 -> 48.20. Exact below 2^53. */
function writeScaled(scaled: number, decimals: number, bytes: Uint8Array, start: number): number {
  let at = start;
  let rest = scaled;
  if (rest < 0) {
    bytes[at++] = ascii.minus;
    rest = -rest;
  }
  let digits = digitCount(rest);
  if (digits <= decimals) digits = decimals + 1; // 0.05
  const end = at + digits + (decimals > 0 ? 1 : 0);
  let to = end;
  let pointIn = decimals > 0 ? decimals : -1;
  // Integers below 2^31 divide several times faster than doubles: at most two parts of nine digits come off the end first.
  while (rest >= billion) {
    const upper = Math.floor(rest / billion);
    let lower = (rest - upper * billion) | 0;
    for (let i = 0; i < 9; i += 1) {
      if (pointIn-- === 0) bytes[--to] = ascii.point;
      const next = (lower / 10) | 0;
      bytes[--to] = ascii.zero + lower - next * 10;
      lower = next;
    }
    rest = upper;
  }
  let lower = rest | 0;
  while (to > at) {
    if (pointIn-- === 0) bytes[--to] = ascii.point;
    const next = (lower / 10) | 0;
    bytes[--to] = ascii.zero + lower - next * 10;
    lower = next;
  }
  return end;
}

function digitCount(n: number): number {
  let count = 1;
  for (let limit = 10; n >= limit; limit *= 10) count += 1;
  return count;
}

/** A loop, not `set`: keys are a few bytes long. */
function copy(from: Uint8Array, to: Uint8Array, start: number): number {
  for (let i = 0; i < from.length; i += 1) to[start + i] = from[i]!;
  return start + from.length;
}
