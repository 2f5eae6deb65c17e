import {
  checkField,
  checkMeasurement,
  checkOwner,
  checkSensor,
  checkTime,
  problem,
  quoted,
} from "../check.ts";
import type { Problem } from "../check.ts";
import type { Measurement } from "../catalogue.ts";
import type { DecodeContext, DecodeCount, ResolveSeries, SeriesHandle } from "../decode.ts";
import { addReading } from "../reading.ts";
import type { Reading } from "../reading.ts";
import type { Rejection } from "../rejection.ts";

/**
 * Line protocol, read plainly: the scanner's oracle in the tests, and what the scanner asks about each line that is
 * not plainly good.
 *
 * A payload is lines that end with `\n` or `\r\n` (the last may end with the payload). Blanks and tabs before a line are skipped; empty lines and
 * `#` comments are no readings. A reading is, with single spaces between,
 *
 *     measurement,sensor=id field=value,field=value time
 *
 * The first thing wrong from left to right is the reason, so:
 *
 * 1. the key, up to the first space: measurement known (`unknown-measurement`), tags well-formed (`syntax`), none but `sensor`
 *    (`unexpected-tag`), one sensor with a well-formed id (`syntax`), registered (`unknown-sensor`, `sensor-retired`), and the sender's (`sensor-owned`);
 * 2. each field: `name=` there (`syntax`), name known (`unknown-field`), value spelled right (`syntax`) and valid
 *    (`wrong-type`, `not-finite`, `out-of-range`); a field given twice has its last value;
 * 3. the time, to the end of the line: there, with digits (`no-time`), whole milliseconds (`syntax`), and `future` or `too-old`.
 *
 * The reason of a line that is not UTF-8 is `invalid-utf8`, whatever else is wrong with it.
 *
 * Values are spelled as for InfluxDB: a number is `-?digits[.digits][e[+-]digits]`, `-?digits` + `i` or `digits` + `u`; a boolean is t, T, true, True, TRUE
 * and the same for false. Not `+5`, `.5` or `5.`. Every number is taken for float fields, whole ones for integer fields, however spelled. There are no
 * escapes: no name or id of ours needs one; a text in quotes is a `wrong-type`.
 */
export function decodeLines(
  bytes: Uint8Array,
  start: number,
  end: number,
  resolve: ResolveSeries,
  context: DecodeContext,
): DecodeCount {
  const count: DecodeCount = { accepted: 0, seen: 0, refused: 0 };
  let ordinal = 0;
  for (const line of readingLines(bytes, start, end)) {
    if (context.seen?.(ordinal) === true) {
      count.seen += 1;
    } else {
      const reading = readLine(textOf(bytes, line.start, line.end), resolve, context);
      if ("reason" in reading) {
        context.reject(lineRejection(bytes, line.start, line.end, ordinal, reading));
        count.refused += 1;
      } else {
        addReading(reading, context);
        count.accepted += 1;
      }
    }
    ordinal += 1;
  }
  return count;
}

/** @param line  Without its end and the blanks before it. */
export function readLine(line: string, resolve: ResolveSeries, context: DecodeContext): Reading | Problem {
  const keyEnd = line.indexOf(" ");
  const key = keyEnd === -1 ? line : line.slice(0, keyEnd);
  const series = readKey(key, resolve, context);
  if ("reason" in series) return series;
  const { measurement, sensor, handle } = series;
  const foreign = checkOwner(handle, sensor, context);
  if (foreign) return foreign;
  if (keyEnd === -1)
    return problem("syntax", "the line has no fields: measurement,sensor=id field=value time");

  const fields = readFields(line.slice(keyEnd + 1), context.tables[measurement]!.measurement);
  if ("reason" in fields) return fields;
  const time = readTime(fields.timeText, context);
  if (typeof time !== "number") return time;
  return { measurement, handle, values: fields.values, time };
}

/** A key's series; `measurement` is the index in the catalogue. */
export interface LineKey {
  readonly measurement: number;
  readonly sensor: string;
  readonly handle: SeriesHandle;
}

/** `measurement,sensor=id`: all of step 1 but whose sensor it is. */
export function readKey(key: string, resolve: ResolveSeries, context: DecodeContext): LineKey | Problem {
  const [name = "", ...tags] = key.split(",");
  if (name === "") return problem("syntax", "the line does not begin with a measurement");
  const measurement = checkMeasurement(name, context);
  if (typeof measurement !== "number") return measurement;
  let sensor: string | undefined;
  for (const tag of tags) {
    const equals = tag.indexOf("=");
    if (equals < 1) return problem("syntax", `${quoted(tag)} is no tag: name=value`);
    const tagName = tag.slice(0, equals);
    if (tagName !== "sensor") {
      return problem(
        "unexpected-tag",
        `the tag ${quoted(tagName)} comes from the registry; send only sensor`,
      );
    }
    if (sensor !== undefined) return problem("syntax", "the sensor is given twice");
    sensor = tag.slice(equals + 1);
  }
  if (sensor === undefined) return problem("syntax", "the line names no sensor: measurement,sensor=id");
  const handle = checkSensor(name, sensor, resolve);
  return "reason" in handle ? handle : { measurement, sensor, handle };
}

/** @param text  What follows the key. */
function readFields(
  text: string,
  measurement: Measurement,
): { readonly values: Map<number, number>; readonly timeText: string | undefined } | Problem {
  const values = new Map<number, number>();
  let at = 0;
  for (;;) {
    const nameEnd = endOf(text, at, "=, ");
    const name = text.slice(at, nameEnd);
    if (text[nameEnd] !== "=" || name === "") {
      return problem("syntax", `expected field=value at ${quoted(text.slice(at))}`);
    }
    const index = measurement.fields.findIndex((field) => field.name === name);
    const field = measurement.fields[index];
    if (field === undefined)
      return problem("unknown-field", `${measurement.name} has no field ${quoted(name)}`);

    const valueEnd = endOf(text, nameEnd + 1, ", ");
    const value = readValue(text.slice(nameEnd + 1, valueEnd));
    if (value === undefined) {
      return problem(
        "syntax",
        `${name}=${quoted(text.slice(nameEnd + 1, valueEnd))} is no number, true or false`,
      );
    }
    const checked = checkField(field, value);
    if (typeof checked !== "number") return checked;
    values.set(index, checked);

    if (valueEnd === text.length) return { values, timeText: undefined };
    if (text[valueEnd] === " ") return { values, timeText: text.slice(valueEnd + 1) };
    at = valueEnd + 1;
  }
}

const float = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const integer = /^(?:-?\d+i|\d+u)$/;
const notFinite = /^[+-]?(?:nan|inf|infinity)$/i;
export const booleanSpellings = {
  true: ["t", "T", "true", "True", "TRUE"],
  false: ["f", "F", "false", "False", "FALSE"],
} as const;

/** A field's value; a text stands for any quoted one, NaN also for infinities. Undefined: none of the known spellings. */
function readValue(text: string): number | boolean | string | undefined {
  if (float.test(text)) return Number(text);
  if (integer.test(text)) return Number(text.slice(0, -1));
  if (notFinite.test(text)) return Number.NaN;
  if (booleanSpellings.true.some((spelling) => spelling === text)) return true;
  if (booleanSpellings.false.some((spelling) => spelling === text)) return false;
  return text.startsWith('"') ? text : undefined;
}

function readTime(text: string | undefined, context: DecodeContext): number | Problem {
  if (text === undefined || !/\d/.test(text)) {
    return problem("no-time", "the line has no time: milliseconds since 1970, after the fields and a space");
  }
  if (!/^-?\d+$/.test(text))
    return problem("syntax", `${quoted(text)} is no time: whole milliseconds since 1970`);
  const time = Number(text);
  return checkTime(time, context) ?? time;
}

/** Index of the first of `delimiters` from `at` on, or the text's length. */
function endOf(text: string, at: number, delimiters: string): number {
  let end = at;
  while (end < text.length && !delimiters.includes(text[end]!)) end += 1;
  return end;
}

/** The places of the lines that are readings: without blanks before them and their ends. */
function* readingLines(
  bytes: Uint8Array,
  start: number,
  end: number,
): Generator<{ readonly start: number; readonly end: number }> {
  let next = start;
  for (let at = start; at < end; at = next) {
    const lineFeed = bytes.indexOf(0x0a, at);
    const found = lineFeed !== -1 && lineFeed < end;
    let lineEnd = found ? lineFeed : end;
    next = found ? lineFeed + 1 : end;
    if (lineEnd > at && bytes[lineEnd - 1] === 0x0d) lineEnd -= 1;
    let lineStart = at;
    while (lineStart < lineEnd && (bytes[lineStart] === 0x20 || bytes[lineStart] === 0x09)) lineStart += 1;
    if (lineStart < lineEnd && bytes[lineStart] !== 0x23) yield { start: lineStart, end: lineEnd };
  }
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** Bytes that are no UTF-8 become U+FFFD, which stands in no name, id or number. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return utf8.decode(bytes.subarray(start, end));
}

export function lineRejection(
  bytes: Uint8Array,
  start: number,
  end: number,
  ordinal: number,
  { reason, detail }: Problem,
): Rejection {
  if (isUtf8(bytes.subarray(start, end))) return { reason, detail, start, end, ordinal };
  return { reason: "invalid-utf8", detail: "the line is not valid UTF-8", start, end, ordinal };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictUtf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
