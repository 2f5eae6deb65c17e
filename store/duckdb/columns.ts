import { release } from "#runtime/release.ts";
import type { BlockTable } from "#telemetry/block.ts";

/** Rows of one table, as columns that grow. Absent fields are NaN. */
export class Columns {
  length = 0;
  /** ms since 1970. */
  time: Float64Array<ArrayBuffer>;
  series: Uint32Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>[];

  constructor(fields: number, capacity: number) {
    this.time = new Float64Array(capacity);
    this.series = new Uint32Array(capacity);
    this.values = Array.from({ length: fields }, () => new Float64Array(capacity));
  }

  /** Appends rows `from` … `to - 1`; field `i` here is the source's column `sources[i]`, or absent if that is -1. */
  append(
    source: Pick<BlockTable, "time" | "series" | "values">,
    from: number,
    to: number,
    sources: readonly number[],
  ): void {
    const rows = to - from;
    const at = this.length;
    this.#reserve(at + rows);
    // Loops, not set(subarray()): most spans are a few rows, where making the view costs more than the copy.
    const { time, series } = this;
    for (let i = 0; i < rows; i++) {
      time[at + i] = source.time[from + i]!;
      series[at + i] = source.series[from + i]!;
    }
    for (let field = 0; field < sources.length; field++) {
      const target = this.values[field]!;
      const values = source.values[sources[field]!];
      if (values === undefined) target.fill(Number.NaN, at, at + rows);
      else for (let i = 0; i < rows; i++) target[at + i] = values[from + i]!;
    }
    this.length = at + rows;
  }

  /** A copy of these rows. */
  pick(rows: readonly number[]): Columns {
    const picked = new Columns(this.values.length, rows.length);
    picked.length = rows.length;
    for (let i = 0; i < rows.length; i++) {
      picked.time[i] = this.time[rows[i]!]!;
      picked.series[i] = this.series[rows[i]!]!;
    }
    for (let field = 0; field < this.values.length; field++) {
      const values = this.values[field]!;
      const target = picked.values[field]!;
      for (let i = 0; i < rows.length; i++) target[i] = values[rows[i]!]!;
    }
    return picked;
  }

  /** Gives the memory back; nothing may be asked of these rows afterwards. */
  release(): void {
    for (const { buffer } of [this.time, this.series, ...this.values]) release(buffer);
    this.length = 0;
  }

  #reserve(rows: number): void {
    if (rows <= this.time.length) return;
    const capacity = Math.max(rows, this.time.length * 2, 64);
    this.time = grown(this.time, new Float64Array(capacity));
    const series = new Uint32Array(capacity);
    series.set(this.series);
    this.series = series;
    this.values = this.values.map((column) => grown(column, new Float64Array(capacity)));
  }
}

function grown(
  column: Float64Array<ArrayBuffer>,
  larger: Float64Array<ArrayBuffer>,
): Float64Array<ArrayBuffer> {
  larger.set(column);
  return larger;
}
