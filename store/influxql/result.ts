import type { Column } from "./engine.ts";

/** What a statement answers. */
export interface StatementResult {
  readonly series: readonly ResultSeries[];
  readonly messages?: readonly { readonly level: "warning"; readonly text: string }[];
}

export interface ResultSeries {
  readonly name?: string;
  /** Only where the statement groups by tags; in byte order of the keys. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The first is `time` where there is a time. */
  readonly columns: readonly string[];
  /** One a column; times are a float column of ms since 1970 that `time` marks. */
  readonly values: readonly (Column | { readonly type: "time"; readonly values: Float64Array })[];
  readonly rows: number;
}
