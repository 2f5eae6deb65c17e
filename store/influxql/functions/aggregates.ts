import type { ValueType } from "../engine.ts";

/** Values of a sequence's rows, none of them null. */
export type Values = ArrayLike<number | string>;

/** [from, to) of a sequence: the rows of one window. */
export interface Span {
  readonly type: ValueType;
  readonly values: Values;
  readonly time: Float64Array;
  readonly from: number;
  readonly to: number;
}

/** Answers one of a window's points. */
export interface Selector {
  readonly kind: "selector";
  readonly types: readonly ValueType[];
  /** Its row; -1: none. */
  readonly pick: (span: Span, argument: number) => number;
}

/** Answers a value of all of a window's points. */
export interface Aggregate {
  readonly kind: "aggregate";
  readonly types: readonly ValueType[];
  /** Of what: undefined the type of the field. */
  readonly type?: ValueType;
  readonly of: (span: Span) => number | string;
}

const numbers: readonly ValueType[] = ["float", "integer"];
const numbersAndBooleans: readonly ValueType[] = [...numbers, "boolean"];
const all: readonly ValueType[] = [...numbersAndBooleans, "string"];

/** Functions of the points of a window, each as query/call_iterator.go of InfluxDB has it. */
export const windowFunctions: ReadonlyMap<string, Selector | Aggregate> = new Map<
  string,
  Selector | Aggregate
>([
  ["min", selector(numbersAndBooleans, (a, b) => a < b)],
  ["max", selector(numbersAndBooleans, (a, b) => a > b)],
  ["first", { kind: "selector", types: all, pick: (span) => extremeTime(span, (a, b) => a < b) }],
  ["last", { kind: "selector", types: all, pick: (span) => extremeTime(span, (a, b) => a > b) }],
  ["percentile", { kind: "selector", types: numbers, pick: percentile }],
  ["count", { kind: "aggregate", types: all, type: "integer", of: ({ from, to }) => to - from }],
  ["sum", { kind: "aggregate", types: numbers, of: sum }],
  [
    "mean",
    { kind: "aggregate", types: numbers, type: "float", of: (span) => sum(span) / (span.to - span.from) },
  ],
  ["median", { kind: "aggregate", types: numbers, type: "float", of: median }],
  ["mode", { kind: "aggregate", types: all, of: mode }],
  ["stddev", { kind: "aggregate", types: numbers, type: "float", of: stddev }],
  ["spread", { kind: "aggregate", types: numbers, of: spread }],
]);

/** Of equal values the earliest, of equal times the first. */
function selector(
  types: readonly ValueType[],
  isBetter: (a: number | string, b: number | string) => boolean,
): Selector {
  return {
    kind: "selector",
    types,
    pick({ values, time, from, to }) {
      let best = from;
      for (let i = from + 1; i < to; i++) {
        const value = values[i] ?? 0;
        const bestValue = values[best] ?? 0;
        if (isBetter(value, bestValue) || (value === bestValue && (time[i] ?? 0) < (time[best] ?? 0)))
          best = i;
      }
      return best;
    },
  };
}

/** Of equal times the greatest value. */
function extremeTime({ values, time, from, to }: Span, isBetter: (a: number, b: number) => boolean): number {
  let best = from;
  for (let i = from + 1; i < to; i++) {
    const at = time[i] ?? 0;
    const bestAt = time[best] ?? 0;
    if (isBetter(at, bestAt) || (at === bestAt && (values[i] ?? 0) > (values[best] ?? 0))) best = i;
  }
  return best;
}

/** Nearest rank, as InfluxDB rounds it. */
function percentile(span: Span, argument: number): number {
  const length = span.to - span.from;
  const rank = Math.floor((length * argument) / 100 + 0.5) - 1;
  return rank < 0 || rank >= length ? -1 : (rowsByValue(span)[rank] ?? -1);
}

/** Rows of equal values stay in their order. */
export function rowsByValue({ values, from, to }: Span): Int32Array {
  const rows = Int32Array.from({ length: to - from }, (_, i) => from + i);
  return rows.sort((a, b) => {
    const left = values[a] ?? 0;
    const right = values[b] ?? 0;
    return left < right ? -1 : left > right ? 1 : a - b;
  });
}

function sum({ values, from, to }: Span): number {
  let total = 0;
  for (let i = from; i < to; i++) total += Number(values[i]);
  return total;
}

function sorted({ values, from, to }: Span): Float64Array {
  const part = new Float64Array(to - from);
  for (let i = from; i < to; i++) part[i - from] = Number(values[i]);
  return part.sort();
}

function median(span: Span): number {
  const values = sorted(span);
  const middle = values.length >> 1;
  const high = values[middle] ?? 0;
  if (values.length % 2 === 1) return high;
  const low = values[middle - 1] ?? 0;
  return low + (high - low) / 2;
}

/** The most frequent value; of several the one whose last point is the earlier. Of booleans `true`. */
function mode(span: Span): number | string {
  const { values, time } = span;
  if (span.type === "boolean") return Number(sum(span) * 2 >= span.to - span.from);
  const rows = rowsByValue(span);
  let best = rows[0] ?? 0;
  let bestCount = 0;
  let bestTime = time[best] ?? 0;
  let count = 0;
  let first = best;
  for (const row of rows) {
    if (values[row] !== values[first]) {
      count = 1;
      first = row;
      continue;
    }
    count++;
    if (bestCount > count || (bestCount === count && (time[first] ?? 0) > bestTime)) continue;
    bestCount = count;
    best = row;
    bestTime = time[row] ?? 0;
  }
  return values[best] ?? 0;
}

/** Of a sample; of one value there is none. */
function stddev({ values, from, to }: Span): number {
  if (to - from < 2) return Number.NaN;
  let mean = 0;
  for (let i = from; i < to; i++) mean += (Number(values[i]) - mean) / (i - from + 1);
  let variance = 0;
  for (let i = from; i < to; i++) variance += (Number(values[i]) - mean) ** 2;
  return Math.sqrt(variance / (to - from - 1));
}

function spread({ values, from, to }: Span): number {
  let low = Infinity;
  let high = -Infinity;
  for (let i = from; i < to; i++) {
    const value = Number(values[i]);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high - low;
}
