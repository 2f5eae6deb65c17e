import { hasAt, isDigit } from "../bytes.ts";
import { ValueScanner } from "../line-protocol/value-scanner.ts";

/**
 * JSON's scalars from bytes, as far as they are plain: texts of printable ASCII without escapes, numbers, true and false. What `JSON.parse` refuses is
 * never taken; what is taken means what it means to `JSON.parse`.
 */
export class PlainValues {
  readonly #scanned = new ValueScanner();
  /** Where the number or boolean that was read last ends. */
  end = 0;

  /** The number at `start`, correctly rounded; NaN: there is none. */
  number(bytes: Uint8Array, start: number, limit: number): number {
    const digit = bytes[start] === minus ? start + 1 : start;
    // Line protocol has 007 …
    if (digit + 1 < limit && bytes[digit] === zero && isDigit(bytes[digit + 1]!)) return Number.NaN;
    const value = this.#scanned.number(bytes, start, limit);
    if (Number.isNaN(value)) return value;
    this.end = this.#scanned.end;
    // … and 31i, 31u.
    return isDigit(bytes[this.end - 1]!) ? value : Number.NaN;
  }

  /** 1 or 0 for the true or false at `start`; NaN for anything else. */
  boolean(bytes: Uint8Array, start: number): number {
    if (hasAt(bytes, start, trueText)) {
      this.end = start + trueText.length;
      return 1;
    }
    if (hasAt(bytes, start, falseText)) {
      this.end = start + falseText.length;
      return 0;
    }
    return Number.NaN;
  }
}

/** Where the plain text that begins at `start`, behind its quote, has its other quote; -1: it is not plain. */
export function textEnd(bytes: Uint8Array, start: number, limit: number): number {
  for (let at = start; at < limit; at += 1) {
    const byte = bytes[at]!;
    if (byte === quote) return at;
    if (byte < space || byte > tilde || byte === backslash) return -1;
  }
  return -1;
}

/** Where the first byte from `at` on is that is no white space, or `limit`. */
export function skipBlanks(bytes: Uint8Array, at: number, limit: number): number {
  while (at < limit && bytes[at]! <= space) {
    const byte = bytes[at]!;
    if (byte !== space && byte !== lineFeed && byte !== carriageReturn && byte !== tab) return at;
    at += 1;
  }
  return at;
}

/** Where the value behind the key that ends at `at` begins; -1: there is no colon. */
export function valueAfter(bytes: Uint8Array, at: number, limit: number): number {
  const colonAt = skipBlanks(bytes, at, limit);
  return colonAt < limit && bytes[colonAt] === colon ? skipBlanks(bytes, colonAt + 1, limit) : -1;
}

/** The plain text's characters. */
export function plainText(bytes: Uint8Array, start: number, end: number): string {
  return latin1.decode(bytes.subarray(start, end));
}

const latin1 = new TextDecoder("latin1");
const encoder = new TextEncoder();
const trueText = encoder.encode("true");
const falseText = encoder.encode("false");
const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;
const minus = 0x2d;
const zero = 0x30;
const colon = 0x3a;
const backslash = 0x5c;
const tilde = 0x7e;
