import type { BlockTable } from "#telemetry/block.ts";
import type { FieldType } from "#telemetry/catalogue.ts";

const newline = 0x0a;
const space = 0x20;
const comma = 0x2c;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const letterI = 0x69;

const trueBytes = Buffer.from("true");
const falseBytes = Buffer.from("false");
/** Beyond a field's name: sign, 17 digits, point, exponent, `=`, comma; about twice what there can be. */
const bytesPerValue = 48;
const bytesPerTime = 24;

/**
 * Lines of one request, as bytes that grow: no text is made of a reading. `String(value)` stays the measure of how a number is spelled: what
 * is written always reads as the same double.
 */
export class LineWriter {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #length = 0;
  /** The last time, and where it stands: neighbours often share it. */
  #time = Number.NaN;
  #timeStart = 0;
  #timeEnd = 0;

  get length(): number {
    return this.#length;
  }

  /** Valid until the next line is written. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    this.#time = Number.NaN;
  }

  /** One line and its newline. @returns false, and nothing written, for a row without a value. */
  write(
    prefix: Uint8Array,
    fields: readonly EncodedField[],
    { values, time }: Pick<BlockTable, "values" | "time">,
    row: number,
  ): boolean {
    let room = prefix.length + bytesPerTime;
    for (let field = 0; field < fields.length; field++) room += fields[field]!.key.length + bytesPerValue;
    this.#reserve(room);
    const start = this.#length;
    this.#bytes.set(prefix, start);
    this.#length += prefix.length;
    const fieldsStart = this.#length;
    for (let field = 0; field < fields.length; field++) {
      const value = values[field]![row]!;
      // NaN alone is not equal to itself.
      if (value !== value) continue;
      if (this.#length > fieldsStart) this.#bytes[this.#length++] = comma;
      const { key, type, texts } = fields[field]!;
      this.#bytes.set(key, this.#length);
      this.#length += key.length;
      if (type === "string") {
        const text = texts![value]!;
        room += text.length;
        this.#reserve(start + room - this.#length);
        this.#put(text);
      } else if (type === "boolean") this.#put(value === 0 ? falseBytes : trueBytes);
      else {
        this.#number(value);
        if (type === "integer") this.#bytes[this.#length++] = letterI;
      }
    }
    if (this.#length === fieldsStart) {
      this.#length = start;
      return false;
    }
    this.#bytes[this.#length++] = space;
    this.#writeTime(time[row]!);
    this.#bytes[this.#length++] = newline;
    return true;
  }

  /** Copies lines of another writer. */
  copy(from: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    this.#bytes.set(from.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  #writeTime(time: number): void {
    if (time === this.#time) {
      this.#bytes.copyWithin(this.#length, this.#timeStart, this.#timeEnd);
      const length = this.#timeEnd - this.#timeStart;
      this.#length += length;
      return;
    }
    this.#time = time;
    this.#timeStart = this.#length;
    this.#number(Math.floor(time));
    this.#timeEnd = this.#length;
  }

  #number(value: number): void {
    if (value < 0) {
      this.#bytes[this.#length++] = minus;
      this.#positive(-value);
    } else this.#positive(value);
  }

  /** n / 10^k is the double nearest to that decimal, as both are exact: such digits read as the same double (Clinger 1990). */
  #positive(value: number): void {
    if (value < 1e15 && Math.floor(value) === value) return this.#digits(value);
    if (value < 1e9) {
      const thousandths = Math.round(value * 1e3);
      if (thousandths / 1e3 === value) return this.#decimal(thousandths, 1e3, 3);
      const millionths = Math.round(value * 1e6);
      if (millionths / 1e6 === value) return this.#decimal(millionths, 1e6, 6);
    }
    this.#length += this.#bytes.write(String(value), this.#length, "latin1");
  }

  #decimal(scaled: number, scale: number, places: number): void {
    const whole = Math.floor(scaled / scale);
    let rest = scaled - whole * scale;
    this.#digits(whole);
    let left = places;
    while (rest % 10 === 0) {
      rest /= 10;
      left -= 1;
    }
    this.#bytes[this.#length++] = point;
    this.#padded(rest, left);
  }

  /** A whole number below 1e15. */
  #digits(value: number): void {
    if (value >= 1e9) {
      const high = Math.floor(value / 1e9);
      this.#digits(high);
      this.#padded(value - high * 1e9, 9);
      return;
    }
    let count = 1;
    for (let limit = 10; value >= limit && count < 9; limit *= 10) count += 1;
    this.#padded(value, count);
  }

  #padded(value: number, digits: number): void {
    let rest = value | 0;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const next = (rest / 10) | 0;
      this.#bytes[at] = zero + rest - next * 10;
      rest = next;
    }
    this.#length += digits;
  }

  #put(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + bytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Rows as a block has them; the values of a text are places in `texts`, where they stand as lines have them. */
export type LineTable = Omit<BlockTable, "fields"> & { readonly fields: readonly LineField[] };
export interface LineField {
  readonly name: string;
  readonly type: FieldType | "string";
  readonly texts?: readonly Uint8Array[];
}

/** A field's name as the bytes `vehicles=`, and its type. */
export interface EncodedField {
  readonly key: Uint8Array;
  readonly type: LineField["type"];
  readonly texts: readonly Uint8Array[] | undefined;
}

export function encodeFields({ fields }: { readonly fields: readonly LineField[] }): EncodedField[] {
  return fields.map(({ name, type, texts }) => ({ key: Buffer.from(`${name}=`), type, texts }));
}

/** A text as a line has it, with its quotation marks. */
export function encodeText(text: string): Uint8Array {
  return Buffer.from(`"${text.replaceAll(/["\\]/g, "\\$&")}"`);
}
