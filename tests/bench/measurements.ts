import type { FaultReport } from "../support/fault-report.ts";
import type { BenchRow } from "./result.ts";

/** Where and when something was measured. */
export interface Measured {
  /** RFC 3339. */
  readonly at: string;
  readonly machine: string;
  readonly versions: string;
  /** Load average of the minute before. */
  readonly load: number;
}

/** A row as docs/measurements/bench.json keeps it, so that the next version can be compared. */
export type MeasuredRow = BenchRow & { readonly measured: Measured };

export interface Measurements {
  readonly rows: readonly MeasuredRow[];
}

/** docs/measurements/soak.json, written by `npm run soak`. */
export interface SoakSummary {
  readonly at: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly faults: readonly FaultReport[];
}

/** New rows take the place of those with their id; the order is that of `ids`, and what is in no bench any more goes. */
export function merged(
  former: readonly MeasuredRow[],
  fresh: readonly MeasuredRow[],
  ids: readonly string[],
): MeasuredRow[] {
  const byId = new Map([...former, ...fresh].map((row) => [row.id, row]));
  return [...byId.values()].toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
}
