import { hasAt, isDigit } from "../bytes.ts";
import { booleanSpellings } from "./oracle.ts";

/** Field values from bytes. NaN is the answer to anything that is no value: none of the spellings means it. */
export class ValueScanner {
  /** Where the value that was scanned last ends. */
  end = 0;

  /** The number at `start`, correctly rounded. */
  number(bytes: Uint8Array, start: number, limit: number): number {
    let at = start;
    const negative = at < limit && bytes[at] === minus;
    if (negative) at += 1;
    const digitsStart = at;
    let mantissa = 0;
    while (at < limit && isDigit(bytes[at]!)) {
      mantissa = mantissa * 10 + (bytes[at]! - zero);
      at += 1;
    }
    if (at === digitsStart) return Number.NaN;

    let power = 0;
    let next = at < limit ? bytes[at]! : space;
    if (next === letterI || (next === letterU && !negative)) {
      this.end = at + 1;
    } else {
      if (next === point) {
        at += 1;
        const fractionStart = at;
        while (at < limit && isDigit(bytes[at]!)) {
          mantissa = mantissa * 10 + (bytes[at]! - zero);
          at += 1;
        }
        if (at === fractionStart) return Number.NaN;
        power = fractionStart - at;
        next = at < limit ? bytes[at]! : space;
      }
      if ((next | 0x20) === letterE) {
        at += 1;
        const sign = at < limit ? bytes[at]! : space;
        if (sign === minus || sign === plus) at += 1;
        const exponentStart = at;
        let exponent = 0;
        while (at < limit && isDigit(bytes[at]!)) {
          exponent = exponent * 10 + (bytes[at]! - zero);
          at += 1;
        }
        if (at === exponentStart) return Number.NaN;
        power += sign === minus ? -exponent : exponent;
      }
      this.end = at;
    }

    // Both operands are exact, so the one rounding is the right one (Clinger 1990).
    if (mantissa < exactIntegers && power >= -22 && power <= 22) {
      const value = power < 0 ? mantissa / powersOfTen[-power]! : mantissa * powersOfTen[power]!;
      return negative ? -value : value;
    }
    return Number(latin1.decode(bytes.subarray(start, at)));
  }

  /** 1 or 0 for the boolean at `start`. */
  boolean(bytes: Uint8Array, start: number, limit: number): number {
    for (const { spelling, value } of booleans) {
      const end = start + spelling.length;
      if (end < limit && hasAt(bytes, start, spelling)) {
        this.end = end;
        return value;
      }
    }
    return Number.NaN;
  }
}

const space = 0x20;
const plus = 0x2b;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const letterE = 0x65;
const letterI = 0x69;
const letterU = 0x75;

/** Every integer below is a double. */
const exactIntegers = 2 ** 53;
/** 10^0 … 10^22, the powers of ten that are doubles. */
const powersOfTen = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
const latin1 = new TextDecoder("latin1");
const encoder = new TextEncoder();
/** Longest first: `true` begins with `t`. */
const booleans = [
  ...booleanSpellings.true.map((spelling) => ({ spelling: encoder.encode(spelling), value: 1 })),
  ...booleanSpellings.false.map((spelling) => ({ spelling: encoder.encode(spelling), value: 0 })),
].sort((a, b) => b.spelling.length - a.spelling.length);
