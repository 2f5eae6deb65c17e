import type { Policy } from "#store/query.ts";
import type { ResultBatch } from "#store/results.ts";
import type { RollupPlan } from "./plan.ts";

/** Rows of one roll-up, as columns that grow. */
export class RollupRows {
  readonly plan: RollupPlan;
  size = 0;
  series = new Uint32Array(256);
  time = new Float64Array(256);
  /** By the plan's columns; NaN: absent. */
  values: Float64Array[];

  constructor(plan: RollupPlan) {
    this.plan = plan;
    this.values = plan.columns.map(() => new Float64Array(256));
  }

  clear(): void {
    this.size = 0;
  }

  /** Room for so many rows more behind `size`. */
  reserve(rows: number): void {
    const wanted = this.size + rows;
    if (wanted <= this.time.length) return;
    const capacity = Math.max(wanted, 2 * this.time.length);
    this.series = grown(this.series, new Uint32Array(capacity));
    this.time = grown(this.time, new Float64Array(capacity));
    this.values = this.values.map((column) => grown(column, new Float64Array(capacity)));
  }

  append(rows: RollupRows): void {
    this.reserve(rows.size);
    this.series.set(rows.series.subarray(0, rows.size), this.size);
    this.time.set(rows.time.subarray(0, rows.size), this.size);
    for (const [at, column] of this.values.entries())
      column.set(rows.values[at]!.subarray(0, rows.size), this.size);
    this.size += rows.size;
  }

  /** A copy, for a store. */
  batch(policy: Policy): ResultBatch {
    return {
      policy,
      measurement: this.plan.measurement,
      time: this.time.slice(0, this.size),
      series: this.series.slice(0, this.size),
      fields: this.plan.columns.map(({ name, type }, column) => ({
        name,
        type,
        values: this.values[column]!.slice(0, this.size),
      })),
    };
  }
}

function grown<Column extends { set(from: Column): void }>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
