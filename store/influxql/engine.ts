import type { Expr } from "./ast.ts";

/** Between the language and a store's data: what the executor asks of an engine. */
export interface Engine {
  readonly schema: Schema;
  /** Milliseconds since 1970; the same for all of a request. */
  readonly now: number;
  readonly limits: QueryLimits;
  /** Reads; the groups come in the order of their tag values, each only when it has rows. */
  scan(request: ScanRequest): Promise<ScanGroup[]>;
}

export interface QueryLimits {
  /** Values that a statement may hold in memory between its steps, over all columns. */
  readonly values: number;
  /** Windows of `GROUP BY time` over all groups. */
  readonly windows: number;
}

export type ValueType = "float" | "integer" | "boolean" | "string";

/** Policies are `autogen` (readings, and what the platform's jobs find) and the roll-ups'. All names in byte order. */
export interface Schema {
  readonly policies: readonly string[];
  measurements(policy: string): readonly string[];
  /** Empty for a measurement that is not there. */
  fields(policy: string, measurement: string): ReadonlyMap<string, ValueType>;
  tagKeys(policy: string, measurement: string): readonly string[];
}

/** One measurement's rows in [from, to), ms since 1970, both whole. */
export interface ScanRequest {
  readonly policy: string;
  readonly measurement: string;
  readonly from: number;
  readonly to: number;
  /** Without its times. Every `ref` in it is a field or a tag of the measurement, as its `cast` (`field` or `tag`) says; or is neither, and absent. */
  readonly predicate?: Expr;
  /** Tag keys; a series without the tag has the value "". */
  readonly groupBy: readonly string[];
  readonly rows: RawRows | WindowedRows;
}

/** The rows themselves, in order of time and then of the series' tags; those alone that have a value in one of `columns`' fields. */
export interface RawRows {
  readonly kind: "raw";
  readonly columns: readonly { readonly kind: "field" | "tag"; readonly name: string }[];
  readonly order: "asc" | "desc";
  /** Rows of each group that are enough. */
  readonly limit?: number;
}

/** One row for each window with rows, in order of time. */
export interface WindowedRows {
  readonly kind: "windowed";
  /** Undefined: one window, from `from` to `to`. */
  readonly window: Window | undefined;
  readonly aggregates: readonly Aggregate[];
  /** Of windows, too, the times of selectors' points: they cost time. Without windows they are always there. */
  readonly wantsTimes?: boolean;
}

export interface Window {
  readonly every_ms: number;
  /** Windows begin at whole multiples of `every_ms` after this, in the zone's local time where there is one. */
  readonly offset_ms: number;
  readonly zone?: string;
}

export interface Aggregate {
  readonly fn: AggregateFunction;
  readonly field: string;
  /** Of `percentile`: 0 to 100. */
  readonly argument?: number;
}

/** Those that an engine may compute itself, each as InfluxDB does; all others the executor computes of raw rows. */
export const aggregateFunctions = [
  "count",
  "sum",
  "mean",
  "min",
  "max",
  "first",
  "last",
  "spread",
  "stddev",
  "median",
  "percentile",
] as const;
export type AggregateFunction = (typeof aggregateFunctions)[number];

export interface ScanGroup {
  /** Values in the order of `groupBy`. */
  readonly tags: readonly string[];
  /** Of windows: their beginnings. ms since 1970. */
  readonly time: Float64Array;
  /** In the order of the columns or aggregates. */
  readonly columns: readonly Column[];
  /**
   * Of each selector (min, max, first, last, percentile) the time of its point, in the order of the aggregates; absent for the others, and
   * of windows where nobody wants them.
   */
  readonly selected?: readonly (Float64Array | undefined)[];
}

/** Numbers, and booleans as 0 and 1, with NaN for null. Integers are exact up to 2^53. */
export type Column =
  | { readonly type: "float" | "integer" | "boolean"; readonly values: Float64Array }
  | { readonly type: "string"; readonly values: readonly (string | null)[] };
