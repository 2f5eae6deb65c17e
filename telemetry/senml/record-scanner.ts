import { PlainValues, skipBlanks, textEnd, valueAfter } from "../plain-json/values.ts";
import { maxBaseUnitLength, maxNameLength } from "./pack.ts";

/** SenML records from bytes, one by one, as far as they are plain. */
export class RecordScanner {
  /** What is in effect, this record's base values included. */
  readonly base = new BaseValues();
  /** What the record that was scanned last says itself. */
  readonly record = new OwnValues();
  readonly #values = new PlainValues();

  /** Reads the record at `start` into `record`, and its base values into `base`. @returns Where it ends; -1: it is not plain. */
  scan(bytes: Uint8Array, start: number): number {
    const end = bytes.length;
    if (bytes[start] !== openBrace) return -1;
    const base = this.base;
    const record = this.record;
    record.clear();
    let labels = 0;
    let at = start;
    do {
      at = skipBlanks(bytes, at + 1, end);
      const label = labelAt(bytes, at);
      // Of two labels that are the same, JSON.parse takes the last.
      if (label === -1 || (labels & (1 << label)) !== 0) return -1;
      labels |= 1 << label;
      at = valueAfter(bytes, at + (label < firstOfTwoLetters ? 3 : 4), end);
      if (at === -1) return -1;
      if ((textLabels & (1 << label)) !== 0) {
        if (bytes[at] !== quote) return -1;
        const last = textEnd(bytes, at + 1, end);
        if (last === -1) return -1;
        if (label === ownName) record.setName(at + 1, last);
        else if (label === ownUnit) record.setUnit(at + 1, last);
        else if (label === baseName) base.setName(bytes, at + 1, last);
        else base.setUnit(at + 1, last);
        at = last + 1;
      } else {
        const value =
          label === ownBoolean ? this.#values.boolean(bytes, at) : this.#values.number(bytes, at, end);
        if (Number.isNaN(value)) return -1;
        if (label === ownValue || label === ownBoolean) record.value = value;
        else if (label === ownTime) record.time = value;
        else if (label === baseTime) base.time = value;
        else base.value = value;
        at = this.#values.end;
      }
      at = skipBlanks(bytes, at, end);
    } while (bytes[at] === comma);
    if (bytes[at] !== closeBrace || base.isTooLong()) return -1;
    record.isReading = (labels & ownLabels) !== 0;
    record.isBoolean = (labels & (1 << ownBoolean)) !== 0;
    // A record with more than one value is refused, and one with none.
    const values = labels & ((1 << ownValue) | (1 << ownBoolean));
    if (record.isReading && values !== 1 << ownValue && values !== 1 << ownBoolean) return -1;
    return at + 1;
  }
}

/** The base values in effect; texts are places in the payload. */
class BaseValues {
  nameStart = 0;
  nameEnd = 0;
  /** Is it `SENSOR/MEASUREMENT/`, and has no record been named with it yet? */
  isPrefix = false;
  isNew = true;
  /** Where its first slash is. */
  slash = 0;
  /** -1: there is none. */
  unitStart = -1;
  unitEnd = -1;
  time = 0;
  value = 0;

  clear(): void {
    this.nameStart = 0;
    this.nameEnd = 0;
    this.isPrefix = false;
    this.isNew = true;
    this.unitStart = -1;
    this.unitEnd = -1;
    this.time = 0;
    this.value = 0;
  }

  setName(bytes: Uint8Array, start: number, end: number): void {
    this.nameStart = start;
    this.nameEnd = end;
    this.isNew = true;
    let slashes = 0;
    for (let at = start; at < end; at += 1) {
      if (bytes[at] !== slash) continue;
      if (slashes === 0) this.slash = at;
      slashes += 1;
    }
    this.isPrefix = slashes === 2 && bytes[end - 1] === slash;
  }

  setUnit(start: number, end: number): void {
    this.unitStart = start;
    this.unitEnd = end;
  }

  isTooLong(): boolean {
    return this.nameEnd - this.nameStart > maxNameLength || this.unitEnd - this.unitStart > maxBaseUnitLength;
  }
}

/** A record's own values; texts are places in the payload, -1 where there is none. */
class OwnValues {
  nameStart = -1;
  nameEnd = -1;
  unitStart = -1;
  unitEnd = -1;
  /** In seconds; NaN: it has none. */
  time = Number.NaN;
  value = 0;
  isBoolean = false;
  /** Or base values alone. */
  isReading = false;

  clear(): void {
    this.nameStart = -1;
    this.nameEnd = -1;
    this.unitStart = -1;
    this.unitEnd = -1;
    this.time = Number.NaN;
  }

  setName(start: number, end: number): void {
    this.nameStart = start;
    this.nameEnd = end;
  }

  setUnit(start: number, end: number): void {
    this.unitStart = start;
    this.unitEnd = end;
  }
}

/** Labels by their bit. */
const ownName = 0;
const ownUnit = 1;
const ownTime = 2;
const ownValue = 3;
const ownBoolean = 4;
const baseName = 5;
const baseTime = 6;
const baseUnit = 7;
const baseValue = 8;
const firstOfTwoLetters = ownBoolean;
const ownLabels = 0b1_1111;
const textLabels = (1 << ownName) | (1 << ownUnit) | (1 << baseName) | (1 << baseUnit);

const quote = 0x22;
const comma = 0x2c;
const slash = 0x2f;
const letterB = 0x62;
const letterN = 0x6e;
const letterT = 0x74;
const letterU = 0x75;
const letterV = 0x76;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The label at `at`; -1: none of those. */
function labelAt(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== quote) return -1;
  const first = bytes[at + 1];
  const second = bytes[at + 2];
  if (second === quote) {
    if (first === letterV) return ownValue;
    if (first === letterN) return ownName;
    if (first === letterU) return ownUnit;
    return first === letterT ? ownTime : -1;
  }
  if (bytes[at + 3] !== quote) return -1;
  if (first === letterV) return second === letterB ? ownBoolean : -1;
  if (first !== letterB) return -1;
  if (second === letterN) return baseName;
  if (second === letterT) return baseTime;
  if (second === letterU) return baseUnit;
  return second === letterV ? baseValue : -1;
}
