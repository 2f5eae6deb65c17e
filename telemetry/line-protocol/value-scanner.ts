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
    // The first 9 digits that count, and those behind them: both are whole numbers below 2^53 while there are at most 18.
    let head = 0;
    let tail = 0;
    let digits = 0;
    const digitsStart = at;
    let next = at < limit ? bytes[at]! : space;
    while (isDigit(next)) {
      if (digits < headDigits) head = head * 10 + (next - zero);
      else tail = tail * 10 + (next - zero);
      if (head !== 0) digits += 1;
      at += 1;
      next = at < limit ? bytes[at]! : space;
    }
    if (at === digitsStart) return Number.NaN;

    let power = 0;
    if (next === letterI || (next === letterU && !negative)) {
      this.end = at + 1;
    } else {
      if (next === point) {
        at += 1;
        const fractionStart = at;
        next = at < limit ? bytes[at]! : space;
        while (isDigit(next)) {
          if (digits < headDigits) head = head * 10 + (next - zero);
          else tail = tail * 10 + (next - zero);
          if (head !== 0) digits += 1;
          at += 1;
          next = at < limit ? bytes[at]! : space;
        }
        if (at === fractionStart) return Number.NaN;
        power = fractionStart - at;
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

    const value = round(head, tail, digits, power);
    if (value === value) return negative ? -value : value;
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
const headDigits = 9;
/** 10^0 … 10^22, the powers of ten that are doubles. */
const powersOfTen = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
/** Far more than the relative error of the correction in `quotient`, which is a few times 2^-53. */
const slack = 2 ** -48;

/**
 * `head` followed by `tail`, times 10^power, correctly rounded; NaN: this way does not tell.
 * @param digits  Of both together; `tail` has those from the tenth on.
 */
function round(head: number, tail: number, digits: number, power: number): number {
  if (digits > 2 * headDigits || power < -22 || power > 22) return Number.NaN;
  const above = digits > headDigits ? head * powersOfTen[digits - headDigits]! : head;
  const mantissa = above + tail;
  // Both operands are exact, so the one rounding is the right one (Clinger 1990).
  if (mantissa < exactIntegers) {
    return power < 0 ? mantissa / powersOfTen[-power]! : mantissa * powersOfTen[power]!;
  }
  if (power > 0) return Number.NaN;
  // `above` is exact: at most 9 digits times 5^9 are below 2^53. So is what the sum above lost (Dekker 1971).
  return quotient(mantissa, tail - (mantissa - above), powersOfTen[-power]!);
}

/**
 * (high + low) / divisor, correctly rounded, for |low| of at most half an ulp of `high`; NaN when it is too near the middle between two
 * doubles to tell. 17 digits (what JSON.stringify makes of most computed doubles) cost a third of `Number(text)` so.
 */
function quotient(high: number, low: number, divisor: number): number {
  const guess = high / divisor;
  // guess * divisor as product + error, exactly (Veltkamp's split, Dekker's product).
  const guessBits = guess * splitter;
  const guessHigh = guessBits - (guessBits - guess);
  const guessLow = guess - guessHigh;
  const divisorBits = divisor * splitter;
  const divisorHigh = divisorBits - (divisorBits - divisor);
  const divisorLow = divisor - divisorHigh;
  const product = guess * divisor;
  const error =
    guessLow * divisorLow -
    (product - guessHigh * divisorHigh - guessLow * divisorHigh - guessHigh * divisorLow);
  // The remainder of a correctly rounded quotient is a double, so only this sum and this division round.
  const correction = (high - product - error + low) / divisor;
  const least = guess + (correction - Math.abs(correction) * slack);
  const most = guess + (correction + Math.abs(correction) * slack);
  return least === most ? least : Number.NaN;
}

const splitter = 2 ** 27 + 1;
const latin1 = new TextDecoder("latin1");
const encoder = new TextEncoder();
/** Longest first: `true` begins with `t`. */
const booleans = [
  ...booleanSpellings.true.map((spelling) => ({ spelling: encoder.encode(spelling), value: 1 })),
  ...booleanSpellings.false.map((spelling) => ({ spelling: encoder.encode(spelling), value: 0 })),
].sort((a, b) => b.spelling.length - a.spelling.length);
