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
  ["first", { kind: "selector", types: all, pick: first }],
  ["last", { kind: "selector", types: all, pick: last }],
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

/** Of equal times the greatest value, but of booleans `false`. */
function first({ type, values, time, from, to }: Span): number {
  let best = from;
  for (let i = from + 1; i < to; i++) {
    const at = time[i] ?? 0;
    const bestAt = time[best] ?? 0;
    const value = values[i] ?? 0;
    const bestValue = values[best] ?? 0;
    const isPreferred = type === "boolean" ? value < bestValue : value > bestValue;
    if (at < bestAt || (at === bestAt && isPreferred)) best = i;
  }
  return best;
}

/** Of equal times the greatest value. */
function last({ values, time, from, to }: Span): number {
  let best = from;
  for (let i = from + 1; i < to; i++) {
    const at = time[i] ?? 0;
    const bestAt = time[best] ?? 0;
    if (at > bestAt || (at === bestAt && (values[i] ?? 0) > (values[best] ?? 0))) best = i;
  }
  return best;
}

/** Nearest rank, as InfluxDB rounds it; of equal values the rows in their order. */
function percentile(span: Span, argument: number): number {
  const { values, from, to } = span;
  const length = to - from;
  const rank = Math.floor((length * argument) / 100 + 0.5) - 1;
  if (rank < 0 || rank >= length) return -1;
  const ascending = sorted(span);
  const value = ascending[rank];
  let place = rank;
  while (place > 0 && ascending[place - 1] === value) place--;
  for (let row = from; row < to; row++) if (values[row] === value && place++ === rank) return row;
  return -1;
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

/** The most frequent value; of several the one that was there first, by its last point. Of booleans `true`. */
function mode(span: Span): number | string {
  const { type, values, time, from, to } = span;
  if (type === "boolean") return Number(sum(span) * 2 >= to - from);
  const counts = new Map<number | string, { count: number; readonly first: number; last: number }>();
  for (let i = from; i < to; i++) {
    const value = values[i] ?? 0;
    const at = time[i] ?? 0;
    const known = counts.get(value);
    if (known === undefined) counts.set(value, { count: 1, first: at, last: at });
    else {
      known.count++;
      known.last = at;
    }
  }
  const [smallest, ...others] = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  if (smallest === undefined) return 0;
  let [best, { count: bestCount, last: bestTime }] = smallest;
  for (const [value, { count, first, last }] of others) {
    if (count < 2 || count < bestCount || (count === bestCount && first > bestTime)) continue;
    best = value;
    bestCount = count;
    bestTime = last;
  }
  return best;
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
