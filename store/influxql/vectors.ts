import type { Column, ValueType } from "./engine.ts";

/**
 * A column between steps. NaN is null, as in `Column`, but where `nan` has a 1 it is a number that is none (a standard deviation of one value):
 * shown as null, yet neither filled nor left out by functions.
 */
export type Vector = NumberVector | StringVector;

export interface NumberVector {
  readonly type: "float" | "integer" | "boolean";
  readonly values: Float64Array;
  readonly nan?: Uint8Array | undefined;
}

export interface StringVector {
  readonly type: "string";
  readonly values: readonly (string | null)[];
}

export function isNull(vector: Vector, i: number): boolean {
  if (vector.type === "string") return vector.values[i] === null;
  const value = vector.values[i];
  return value !== value && vector.nan?.[i] !== 1;
}

export function nulls(type: ValueType, length: number): Vector {
  if (type === "string") return { type, values: Array.from<null>({ length }).fill(null) };
  return { type, values: new Float64Array(length).fill(Number.NaN) };
}

/** What the rows `at` hold; -1: null. */
export function take(vector: Vector, at: Int32Array): Vector {
  const length = at.length;
  if (vector.type === "string") {
    const values = Array.from<string | null>({ length });
    for (let i = 0; i < length; i++) values[i] = vector.values[at[i] ?? -1] ?? null;
    return { type: "string", values };
  }
  const values = new Float64Array(length);
  for (let i = 0; i < length; i++) values[i] = vector.values[at[i] ?? -1] ?? Number.NaN;
  if (vector.nan === undefined) return { type: vector.type, values };
  const nan = new Uint8Array(length);
  for (let i = 0; i < length; i++) nan[i] = vector.nan[at[i] ?? -1] ?? 0;
  return { type: vector.type, values, nan };
}

export function takeTimes(times: Float64Array, at: Int32Array): Float64Array {
  const taken = new Float64Array(at.length);
  for (let i = 0; i < at.length; i++) taken[i] = times[at[i] ?? -1] ?? Number.NaN;
  return taken;
}

export function slice(vector: Vector, from: number, to: number): Vector {
  if (vector.type === "string") return { type: "string", values: vector.values.slice(from, to) };
  return {
    type: vector.type,
    values: vector.values.subarray(from, to),
    nan: vector.nan?.subarray(from, to),
  };
}

export function reversed(vector: Vector): Vector {
  if (vector.type === "string") return { type: "string", values: vector.values.toReversed() };
  return { type: vector.type, values: vector.values.toReversed(), nan: vector.nan?.toReversed() };
}

export function concatenate(vectors: readonly Vector[], type: ValueType): Vector {
  if (type === "string")
    return { type, values: vectors.flatMap((vector) => (vector.type === "string" ? vector.values : [])) };
  const length = vectors.reduce((sum, { values }) => sum + values.length, 0);
  const values = new Float64Array(length);
  const nan = vectors.some((vector) => "nan" in vector && vector.nan !== undefined)
    ? new Uint8Array(length)
    : undefined;
  let at = 0;
  for (const vector of vectors) {
    if (vector.type !== "string") {
      values.set(vector.values, at);
      if (vector.nan !== undefined) nan?.set(vector.nan, at);
    }
    at += vector.values.length;
  }
  return { type, values, nan };
}

/** Numbers to numbers, integers truncated; what cannot be converted is null. */
export function convert(vector: Vector, type: ValueType): Vector {
  if (vector.type === type) return vector;
  if (vector.type === "float" && type === "integer")
    return { type, values: vector.values.map(Math.trunc), nan: vector.nan };
  if (vector.type === "integer" && type === "float") return { type, values: vector.values, nan: vector.nan };
  return nulls(type, vector.values.length);
}

export function toColumn(vector: Vector): Column {
  return vector.type === "string"
    ? { type: "string", values: vector.values }
    : { type: vector.type, values: vector.values };
}

/** Numbers that are all values, also those that are none. */
export function numberVector(type: NumberVector["type"], numbers: Float64Array): NumberVector {
  const nan = numbers.includes(Number.NaN)
    ? Uint8Array.from(numbers, (number) => Number(Number.isNaN(number)))
    : undefined;
  return { type, values: numbers, nan };
}

/** All of one value. */
export function constant(value: number | string | boolean, type: ValueType, length: number): Vector {
  if (type === "string") return { type, values: Array.from<string>({ length }).fill(String(value)) };
  return { type, values: new Float64Array(length).fill(Number(value)) };
}
