import type { Grain } from "./extent.ts";
import type { PlannedField } from "./plan.ts";
import type { RollupRows } from "./rows.ts";

/** Rows of one series, by time: of the next finer roll-up, in the plan's columns. */
export interface FinerRows {
  readonly time: Float64Array;
  readonly values: readonly Float64Array[];
}

/** Appends the rows of the coarser windows that finer ones make: what their readings give, but for rounding. */
export function rollCoarser(
  finer: FinerRows,
  { begin, end }: { readonly begin: number; readonly end: number },
  grain: Grain,
  series: number,
  rows: RollupRows,
): void {
  let from = begin;
  while (from < end) {
    const window = grain.beginOf(finer.time[from]!);
    let to = from + 1;
    while (to < end && grain.beginOf(finer.time[to]!) === window) to += 1;
    rows.reserve(1);
    for (const field of rows.plan.fields) combine(field, finer.values, { from, to }, rows);
    rows.series[rows.size] = series;
    rows.time[rows.size] = window;
    rows.size += 1;
    from = to;
  }
}

interface Part {
  readonly from: number;
  readonly to: number;
}

function combine(
  { kind, column }: PlannedField,
  finer: readonly Float64Array[],
  part: Part,
  { values, size }: RollupRows,
): void {
  const put = (place: number, value: number): void => {
    values[column + place]![size] = value;
  };
  const of = (place: number): Float64Array => finer[column + place]!;
  switch (kind) {
    case "gauge":
    case "weighted":
      put(1, least(of(1), part));
      put(2, most(of(2), part));
      put(3, sum(of(3), part));
      put(4, last(of(4), part));
      put(5, sum(of(5), part));
      put(6, sum(of(6), part));
      if (kind === "gauge") return put(0, weighed(of(0), of(6), part));
      put(7, sum(of(7), part));
      return put(0, sum(of(7), part) > 0 ? weighed(of(0), of(7), part) : sum(of(3), part) / sum(of(5), part));
    case "state":
      put(0, weighed(of(0), of(3), part));
      put(1, last(of(1), part));
      put(2, sum(of(2), part));
      return put(3, sum(of(3), part));
    case "delta":
      put(0, sum(of(0), part));
      put(1, sum(of(0), part) / sum(of(5), part));
      put(2, least(of(2), part));
      put(3, most(of(3), part));
      put(4, last(of(4), part));
      return put(5, sum(of(5), part));
    case "counter":
      put(0, sum(of(0), part));
      put(1, last(of(1), part));
      return put(2, sum(of(2), part));
  }
}

/** Each of these passes over what is absent; NaN when all is. */
function sum(values: Float64Array, { from, to }: Part): number {
  let total = NaN;
  for (let at = from; at < to; at += 1) {
    const value = values[at]!;
    if (!Number.isNaN(value)) total = Number.isNaN(total) ? value : total + value;
  }
  return total;
}

function weighed(means: Float64Array, weights: Float64Array, { from, to }: Part): number {
  let total = 0;
  let weight = 0;
  for (let at = from; at < to; at += 1) {
    const by = weights[at]!;
    if (!(by > 0) || Number.isNaN(means[at])) continue;
    total += means[at]! * by;
    weight += by;
  }
  return weight > 0 ? total / weight : NaN;
}

function least(values: Float64Array, { from, to }: Part): number {
  let found = NaN;
  for (let at = from; at < to; at += 1) if (!(values[at]! >= found)) found = lower(values[at]!, found);
  return found;
}

function most(values: Float64Array, { from, to }: Part): number {
  let found = NaN;
  for (let at = from; at < to; at += 1)
    if (!Number.isNaN(values[at]) && !(values[at]! <= found)) found = values[at]!;
  return found;
}

function last(values: Float64Array, { from, to }: Part): number {
  for (let at = to - 1; at >= from; at -= 1) if (!Number.isNaN(values[at])) return values[at]!;
  return NaN;
}

function lower(value: number, found: number): number {
  return Number.isNaN(value) ? found : value;
}
