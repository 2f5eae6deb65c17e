/** Where a value lies in JSON text: bytes, end exclusive, without white space around it. */
export interface JsonRange {
  readonly start: number;
  readonly end: number;
}

/** The places of an array's elements. @param bytes  Valid JSON; `array` is the place of an array in it. */
export function elementRanges(bytes: Uint8Array, array: JsonRange): JsonRange[] {
  const ranges: JsonRange[] = [];
  let at = skipBlanks(bytes, array.start + 1);
  while (bytes[at] !== closeBracket) {
    const end = valueEnd(bytes, at);
    ranges.push({ start: at, end });
    at = skipBlanks(bytes, end);
    if (bytes[at] === comma) at = skipBlanks(bytes, at + 1);
  }
  return ranges;
}

/** The place of an object's property `name`: the last one, which is the one that `JSON.parse` takes. */
export function propertyRange(bytes: Uint8Array, object: JsonRange, name: string): JsonRange | undefined {
  const utf8 = new TextDecoder();
  let found: JsonRange | undefined;
  let at = skipBlanks(bytes, object.start + 1);
  while (bytes[at] !== closeBrace) {
    const keyEnd = valueEnd(bytes, at);
    const key: unknown = JSON.parse(utf8.decode(bytes.subarray(at, keyEnd)));
    const start = skipBlanks(bytes, skipBlanks(bytes, keyEnd) + 1);
    const end = valueEnd(bytes, start);
    if (key === name) found = { start, end };
    at = skipBlanks(bytes, end);
    if (bytes[at] === comma) at = skipBlanks(bytes, at + 1);
  }
  return found;
}

/** The place of the whole text's value. */
export function rootRange(bytes: Uint8Array): JsonRange {
  const start = skipBlanks(bytes, 0);
  return { start, end: valueEnd(bytes, start) };
}

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

function valueEnd(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === quote) return stringEnd(bytes, start);
  let at = start;
  if (first !== openBrace && first !== openBracket) {
    while (at < bytes.length && !endsScalar(bytes[at]!)) at += 1;
    return at;
  }
  let depth = 0;
  do {
    const byte = bytes[at]!;
    if (byte === quote) {
      at = stringEnd(bytes, at);
      continue;
    }
    if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) depth -= 1;
    at += 1;
  } while (depth > 0);
  return at;
}

function stringEnd(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at + 1;
}

function skipBlanks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && isBlank(bytes[at]!)) at += 1;
  return at;
}

function endsScalar(byte: number): boolean {
  return isBlank(byte) || byte === comma || byte === closeBracket || byte === closeBrace;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
