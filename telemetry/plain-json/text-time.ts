import { isDigit } from "../bytes.ts";
import { parseRfc3339 } from "../rfc3339.ts";
import { plainText } from "./values.ts";

/** Times as text (RFC 3339) from bytes: `2025-11-23T04:06:40.250+03:00`. The date, which seldom changes, is read by `parseRfc3339`. */
export class TextTimes {
  readonly #date = new Uint8Array(dateLength);
  /** Its first millisecond, UTC; NaN: there is no such day. */
  #midnight = Number.NaN;

  /** @returns Milliseconds since 1970; NaN: no time, or one that is spelled otherwise. */
  read(bytes: Uint8Array, start: number, end: number): number {
    // The shortest: 2025-11-23T04:06:40Z
    if (end - start < 20) return Number.NaN;
    for (let i = 0; i < dateLength; i += 1) {
      if (this.#date[i] !== bytes[start + i]) {
        this.#readDate(bytes, start);
        break;
      }
    }
    const hour = twoDigits(bytes, start + 11);
    const minute = twoDigits(bytes, start + 14);
    const second = twoDigits(bytes, start + 17);
    if (bytes[start + 10] !== letterT || bytes[start + 13] !== colon || bytes[start + 16] !== colon) {
      return Number.NaN;
    }
    if (hour > 23 || minute > 59 || second > 59) return Number.NaN;
    let at = start + 19;
    let milliseconds = 0;
    if (bytes[at] === point) {
      const fraction = at + 1;
      at = fraction;
      let weight = 100;
      // Parts of a millisecond are cut off.
      while (at < end && isDigit(bytes[at]!)) {
        if (at - fraction < 3) milliseconds += (bytes[at]! - zero) * weight;
        weight /= 10;
        at += 1;
      }
      if (at === fraction || at - fraction > 9) return Number.NaN;
    }
    const offset = zoneOffset(bytes, at, end);
    return this.#midnight + ((hour * 60 + minute - offset) * 60 + second) * 1000 + milliseconds;
  }

  #readDate(bytes: Uint8Array, start: number): void {
    this.#date.set(bytes.subarray(start, start + dateLength));
    this.#midnight = parseRfc3339(`${plainText(this.#date, 0, dateLength)}T00:00:00Z`) ?? Number.NaN;
  }
}

const dateLength = 10;
const plus = 0x2b;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const colon = 0x3a;
const letterT = 0x54;
const letterZ = 0x5a;

/** Minutes east of Greenwich; NaN: the text does not end with a zone. */
function zoneOffset(bytes: Uint8Array, at: number, end: number): number {
  const sign = bytes[at];
  if (sign === letterZ) return at + 1 === end ? 0 : Number.NaN;
  if ((sign !== plus && sign !== minus) || at + 6 !== end || bytes[at + 3] !== colon) return Number.NaN;
  const hours = twoDigits(bytes, at + 1);
  const minutes = twoDigits(bytes, at + 4);
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (sign === minus ? -1 : 1) * (hours * 60 + minutes);
}

/** NaN: they are none. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]!;
  const ones = bytes[at + 1]!;
  return isDigit(tens) && isDigit(ones) ? (tens - zero) * 10 + ones - zero : Number.NaN;
}
