import type { Field } from "./catalogue.ts";
import type { DecodeContext, ResolveSeries, SeriesHandle } from "./decode.ts";
import { isSensorId } from "./names.ts";
import type { Reason } from "./rejection.ts";

/** Why a reading is refused; with the reading's place in its payload, a `Rejection`. */
export interface Problem {
  readonly reason: Reason;
  readonly detail: string;
}

export function problem(reason: Reason, detail: string): Problem {
  return { reason, detail };
}

/** The measurement's index in the catalogue. */
export function checkMeasurement(name: string, context: DecodeContext): number | Problem {
  const index = context.tables.findIndex((table) => table.measurement.name === name);
  if (index !== -1) return index;
  return problem("unknown-measurement", `the catalogue has no measurement ${quoted(name)}`);
}

/** In this order: the sensor's id is well-formed, and registered. Whose it is, `checkOwner` tells. */
export function checkSensor(
  measurement: string,
  sensor: string,
  resolve: ResolveSeries,
): SeriesHandle | Problem {
  if (!isSensorId(sensor)) {
    return problem("syntax", `${quoted(sensor)} is no sensor id: 1 to 64 letters, digits and . _ : -`);
  }
  const handle = resolve(measurement, sensor);
  if (handle === "unknown-sensor") {
    return problem("unknown-sensor", `the sensor ${sensor} is not registered: send a birth that names it`);
  }
  if (handle === "sensor-retired") return problem("sensor-retired", `the sensor ${sensor} is retired`);
  return handle;
}

/** One gateway speaks for a sensor. */
export function checkOwner(
  handle: SeriesHandle,
  sensor: string,
  context: DecodeContext,
): Problem | undefined {
  if (handle.gateway === context.gateway) return undefined;
  return problem("sensor-owned", `the sensor ${sensor} belongs to another gateway`);
}

/**
 * A field's value as the number that a `ReadingTable` holds. In this order: its type, that it is finite, that it is a whole
 * number below 2^53 (integer fields), its physical range.
 */
export function checkField(field: Field, value: number | boolean | string): number | Problem {
  const wanted = field.type === "boolean" ? "boolean" : "number";
  if (typeof value !== wanted)
    return problem("wrong-type", `${field.name} is ${wantedType[field.type]}, not ${typeof value}`);
  const number = Number(value);
  if (!Number.isFinite(number)) return problem("not-finite", `${field.name} is not a finite number`);
  if (field.type === "integer" && !Number.isInteger(number)) {
    return problem("wrong-type", `${field.name} is an integer, not ${number}`);
  }
  if (field.type === "integer" && !Number.isSafeInteger(number)) {
    return problem("out-of-range", `${field.name} is an integer beyond 2^53 - 1`);
  }
  const [low, high] = field.physical;
  if ((low !== null && number < low) || (high !== null && number > high)) {
    const unit = field.unit === "1" ? "" : ` ${field.unit}`;
    const detail = `${field.name}=${number}${unit} is physically impossible: ${bounds(low, high)}`;
    return problem("out-of-range", detail);
  }
  return number;
}

/** @param time  Milliseconds since 1970. */
export function checkTime(time: number, context: DecodeContext): Problem | undefined {
  if (time > context.now + context.maxFuture) {
    const hint = time >= 1e14 ? "; times are milliseconds since 1970" : "";
    return problem("future", `the time ${time} is more than ${context.maxFuture / 1000} s ahead${hint}`);
  }
  if (time < context.now - context.maxAge) {
    const hint = time > 1e8 && time < 1e10 ? "; times are milliseconds since 1970, not seconds" : "";
    return problem("too-old", `the time ${time} is more than ${context.maxAge / 86_400_000} days ago${hint}`);
  }
  return undefined;
}

/** Text from a payload, for people: cut to 64 characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 63)}…` : text);
}

function bounds(low: number | null, high: number | null): string {
  if (low === null) return `at most ${high}`;
  return high === null ? `at least ${low}` : `${low} to ${high}`;
}

const wantedType = { float: "a number", integer: "a whole number", boolean: "true or false" } as const;
