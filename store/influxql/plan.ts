import type { Expr, Fill } from "./ast.ts";
import type { ValueType } from "./engine.ts";
import type { Call, Ref } from "./expressions.ts";
import type { Ready } from "./ready.ts";
import type { RawScan, WindowedScan } from "./scans.ts";
import type { Scope } from "./scope.ts";

/** A statement as steps over scans. */
export interface SelectPlan {
  readonly ready: Ready;
  readonly scope: Scope;
  /** What fills gaps of calls, and nulls beside them. */
  readonly fill: Fill;
  readonly calls: readonly PlannedCall[];
  /** Fields and tags outside of calls, as columns after the call's own. */
  readonly beside: readonly Ref[];
  /** Of a statement without calls; undefined too where nothing is known that it asks for. */
  readonly rows: RowsPlan | undefined;
}

export interface PlannedCall {
  readonly key: string;
  readonly plan: CallPlan;
}

export type CallPlan = { readonly call: Call; readonly scope: Scope } & (
  | {
      readonly kind: "pushed";
      readonly parts: readonly PushedPart[];
      readonly type: ValueType;
      readonly time: PointTime;
      readonly fill: Fill;
    }
  | {
      readonly kind: "windows";
      readonly rows: RowsPlan;
      readonly type: ValueType;
      readonly time: PointTime;
      readonly fill: Fill;
    }
  | { readonly kind: "count distinct"; readonly input: CallPlan; readonly fill: Fill }
  | { readonly kind: "sequence"; readonly input: CallPlan | RowsPlan }
  | { readonly kind: "integral" | "distinct"; readonly rows: RowsPlan }
  | {
      readonly kind: "top";
      readonly rows: RowsPlan;
      readonly perSeries: Scope | undefined;
      readonly count: number;
    }
);

/** A selector alone without windows keeps its point's time. */
export type PointTime = "of the point" | "of the window";

export interface PushedPart {
  readonly name: string;
  readonly scan: WindowedScan;
  readonly place: number;
  /** Of stddev: the count, which tells one value from none. */
  readonly countPlace: number | undefined;
}

/** Points of a field, with what is asked beside it; without a field the rows themselves. */
export interface RowsPlan {
  readonly kind: "rows";
  readonly scope: Scope;
  readonly driver: Ref | undefined;
  readonly beside: readonly Ref[];
  readonly sources: readonly SourceRows[];
  /** Of the columns: the driver's first. */
  readonly types: readonly ValueType[];
  readonly sharesNames: boolean;
}

export type SourceRows =
  | {
      readonly kind: "scan";
      /** Of a selector: only rows between the first and the last of the points that it picks are read. */
      readonly between: { readonly scan: WindowedScan; readonly place: number } | undefined;
      readonly name: string;
      readonly scan: RawScan;
      readonly columns: readonly ColumnAt[];
    }
  /** The best points of each series, of which the call then takes its own. */
  | {
      readonly kind: "candidates";
      readonly name: string;
      readonly scan: WindowedScan;
      readonly place: number;
      readonly keys: readonly string[];
      readonly tags: readonly string[];
    }
  | {
      readonly kind: "subquery";
      readonly plan: SelectPlan;
      readonly condition: Expr | undefined;
      readonly columns: readonly ColumnOf[];
    };

/** Of a scan's answer; -1: the source has no such column. */
export type ColumnAt = { readonly place: number; readonly isTag: boolean };
export type ColumnOf = { readonly field: number } | { readonly tag: string } | undefined;
