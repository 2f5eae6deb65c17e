import { hasAt } from "../bytes.ts";
import type { Field, Measurement } from "../catalogue.ts";

/** What a scanner of JSON needs of a measurement, its fields by their index. */
export interface MeasurementPlan {
  /** `name` */
  readonly name: Uint8Array;
  readonly fields: readonly Field[];
  /** `name"`: the end of the text belongs to it, so that no name is the beginning of another. */
  readonly names: readonly Uint8Array[];
  readonly types: readonly number[];
  /** The physical range; finite, so that it holds no infinity. */
  readonly lows: Float64Array;
  readonly highs: Float64Array;
}

export const integerField = 1;
export const booleanField = 2;
const typeCodes = { float: 0, integer: integerField, boolean: booleanField } as const;
const encoder = new TextEncoder();

export function planMeasurement({ name, fields }: Measurement): MeasurementPlan {
  return {
    name: encoder.encode(name),
    fields,
    names: fields.map((field) => encoder.encode(`${field.name}"`)),
    types: fields.map(({ type }) => typeCodes[type]),
    lows: Float64Array.from(fields, ({ physical }) => physical[0] ?? -Number.MAX_VALUE),
    highs: Float64Array.from(fields, ({ physical }) => physical[1] ?? Number.MAX_VALUE),
  };
}

/** The measurement of that name, tried from `expected` on; -1: none. */
export function findMeasurement(
  plans: readonly MeasurementPlan[],
  expected: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  for (let tried = 0; tried < plans.length; tried += 1) {
    const at = expected + tried;
    const measurement = at < plans.length ? at : at - plans.length;
    const { name } = plans[measurement]!;
    if (name.length === end - start && hasAt(bytes, start, name)) return measurement;
  }
  return -1;
}

/** The field whose name, with the quote behind it, stands at `at`, tried from `expected` on; -1: none. */
export function findField(
  { names }: MeasurementPlan,
  expected: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  for (let tried = 0; tried < names.length; tried += 1) {
    const next = expected + tried;
    const field = next < names.length ? next : next - names.length;
    const name = names[field]!;
    if (at + name.length <= end && hasAt(bytes, at, name)) return field;
  }
  return -1;
}
