import type { Expr, Fill, SelectField } from "./ast.ts";
import type { TimeRange } from "./time-range.ts";

/** A statement made ready: sources found, `*` and patterns written out, each reference with its type as its cast, times apart from the condition. */
export interface Ready {
  readonly fields: readonly SelectField[];
  /** What each column shows: the fields, and what `top` and `bottom` show beside theirs. */
  readonly outputs: readonly Expr[];
  /** Names of the columns, without the time. */
  readonly columns: readonly string[];
  readonly timeColumn: string;
  readonly sources: readonly ReadySource[];
  readonly condition: Expr | undefined;
  readonly range: TimeRange;
  readonly interval: Interval | undefined;
  /** Tag keys, as written. */
  readonly groupBy: readonly string[];
  readonly fill: Fill;
  readonly order: "asc" | "desc";
  readonly limit: number;
  readonly offset: number;
  readonly slimit: number;
  readonly soffset: number;
  readonly zone: string | undefined;
}

export type ReadySource =
  | { readonly kind: "measurement"; readonly policy: string; readonly name: string }
  | { readonly kind: "subquery"; readonly select: Ready };

export interface Interval {
  readonly every_ms: number;
  readonly offset_ms: number;
}
