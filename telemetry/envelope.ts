import {
  checkField,
  checkMeasurement,
  checkOwner,
  checkSensor,
  checkTime,
  problem,
  quoted,
} from "./check.ts";
import type { Problem } from "./check.ts";
import type { Field } from "./catalogue.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "./decode.ts";
import { addReading } from "./reading.ts";
import type { Reading } from "./reading.ts";
import { parseJson } from "./json.ts";
import { elementRanges, propertyRange, rootRange } from "./json-ranges.ts";
import type { JsonRange } from "./json-ranges.ts";
import { parseRfc3339 } from "./rfc3339.ts";

/**
 * The plain JSON envelope of `up/json`: a reading, an array of them, or `{"readings": [...]}`. A reading is
 *
 *     { "measurement": "traffic_flow", "sensor": "tf-012", "time": 1763860000000, "fields": { "vehicles": 31 } }
 *
 * `time` is whole milliseconds since 1970 or a text with its zone (RFC 3339); a field is a number, or true or false.
 *
 * Each reading stands for itself; the first thing wrong, in this order, is the reason: it is an object (`syntax`) of these four keys (`unexpected-tag`);
 * measurement; sensor; fields one by one; time. A payload that is no such JSON is one refused reading (`invalid-utf8`, `syntax`).
 *
 * A rejection's `start` and `end` are the refused reading's own: those bytes are an envelope too.
 */
export function decodeEnvelope(
  bytes: Uint8Array,
  resolve: ResolveSeries,
  context: DecodeContext,
): DecodeCount {
  const count: DecodeCount = { accepted: 0, seen: 0, refused: 0 };
  const json = parseJson(bytes);
  const readings = json.ok ? readingsOf(json.value) : json;
  if ("reason" in readings) {
    context.reject({
      reason: readings.reason,
      detail: readings.detail,
      start: 0,
      end: bytes.length,
      ordinal: 0,
    });
    count.refused = 1;
    return count;
  }
  let ranges: readonly JsonRange[] | undefined;
  for (const [ordinal, value] of readings.values.entries()) {
    if (context.seen?.(ordinal) === true) {
      count.seen += 1;
      continue;
    }
    const reading = readReading(value, resolve, context);
    if ("reason" in reading) {
      ranges ??= readingRanges(bytes, readings.shape);
      const { start, end } = ranges[ordinal]!;
      context.reject({ reason: reading.reason, detail: reading.detail, start, end, ordinal });
      count.refused += 1;
    } else {
      addReading(reading, context);
      count.accepted += 1;
    }
  }
  return count;
}

type Shape = "one" | "array" | "wrapped";

function readingsOf(
  value: unknown,
): { readonly shape: Shape; readonly values: readonly unknown[] } | Problem {
  if (Array.isArray(value)) return { shape: "array", values: value };
  if (!isObject(value))
    return problem("syntax", 'the payload is no reading, array of readings, or {"readings": […]}');
  if (!Object.hasOwn(value, "readings")) return { shape: "one", values: [value] };
  const readings = value["readings"];
  if (!Array.isArray(readings)) return problem("syntax", "`readings` is no array");
  const other = Object.keys(value).find((key) => key !== "readings");
  if (other !== undefined) return problem("syntax", `beside \`readings\` there is ${quoted(other)}`);
  return { shape: "wrapped", values: readings };
}

function readingRanges(bytes: Uint8Array, shape: Shape): readonly JsonRange[] {
  const root = rootRange(bytes);
  if (shape === "one") return [root];
  return elementRanges(bytes, shape === "array" ? root : propertyRange(bytes, root, "readings")!);
}

const keys: ReadonlySet<string> = new Set(["measurement", "sensor", "time", "fields"]);

function readReading(value: unknown, resolve: ResolveSeries, context: DecodeContext): Reading | Problem {
  if (!isObject(value))
    return problem("syntax", "a reading is an object of measurement, sensor, time and fields");
  const other = Object.keys(value).find((key) => !keys.has(key));
  if (other !== undefined) {
    return problem("unexpected-tag", `a reading has no ${quoted(other)}; tags come from the registry`);
  }
  const name = value["measurement"];
  if (typeof name !== "string") return problem("syntax", "`measurement` is missing, or no text");
  const measurement = checkMeasurement(name, context);
  if (typeof measurement !== "number") return measurement;

  const sensor = value["sensor"];
  if (typeof sensor !== "string") return problem("syntax", "`sensor` is missing, or no text");
  const handle = checkSensor(name, sensor, resolve);
  if ("reason" in handle) return handle;
  const foreign = checkOwner(handle, sensor, context);
  if (foreign) return foreign;

  const values = readFields(value["fields"], name, context.tables[measurement]!.measurement.fields);
  if ("reason" in values) return values;
  const time = readTime(value["time"], context);
  if (typeof time !== "number") return time;
  return { measurement, handle, values, time };
}

function readFields(
  given: unknown,
  measurement: string,
  fields: readonly Field[],
): ReadonlyMap<number, number> | Problem {
  if (!isObject(given)) return problem("syntax", "`fields` is missing, or no object");
  const values = new Map<number, number>();
  for (const [name, value] of Object.entries(given)) {
    const index = fields.findIndex((field) => field.name === name);
    const field = fields[index];
    if (field === undefined) return problem("unknown-field", `${measurement} has no field ${quoted(name)}`);
    if (typeof value !== "number" && typeof value !== "boolean" && typeof value !== "string") {
      return problem("wrong-type", `${name} is neither a number nor true or false`);
    }
    const checked = checkField(field, value);
    if (typeof checked !== "number") return checked;
    values.set(index, checked);
  }
  return values.size > 0 ? values : problem("syntax", "`fields` is empty");
}

function readTime(given: unknown, context: DecodeContext): number | Problem {
  const isTime = typeof given === "number" || (typeof given === "string" && /\d/.test(given));
  if (!isTime)
    return problem(
      "no-time",
      "`time` is missing: milliseconds since 1970, or a text with its zone (RFC 3339)",
    );
  const time = typeof given === "number" ? given : parseRfc3339(given);
  if (time === undefined || !Number.isInteger(time)) {
    return problem(
      "syntax",
      `${quoted(String(given))} is no time: whole milliseconds since 1970, or a text with its zone (RFC 3339)`,
    );
  }
  return checkTime(time, context) ?? time;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
