import type { Measurement } from "./catalogue.ts";

/**
 * Readings of one measurement, as columns that grow: what the decoders append to. A row exists once `length` counts
 * it; a decoder fills row `length` and leaves it uncounted when the line turns out bad.
 *
 * Numbers only: float, integer (|n| <= 2^53) and boolean (0 or 1) fields are doubles here; NaN = the field is absent.
 */
export class ReadingTable {
  readonly measurement: Measurement;
  length = 0;
  /** Milliseconds since 1970, UTC. */
  time: Float64Array<ArrayBuffer>;
  series: Uint32Array<ArrayBuffer>;
  /** One column a field, in the catalogue's order. */
  values: Float64Array<ArrayBuffer>[];
  /** Who sent the rows, run-length encoded: gateway number, rows, gateway number, rows, … */
  runs: number[] = [];

  constructor(measurement: Measurement, capacity = 1024) {
    this.measurement = measurement;
    this.time = new Float64Array(capacity);
    this.series = new Uint32Array(capacity);
    this.values = measurement.fields.map(() => new Float64Array(capacity));
  }

  /** Makes room for one more row and returns its index. */
  nextRow(): number {
    if (this.length === this.time.length) this.#grow();
    return this.length;
  }

  /** Counts the row that was just filled as sent by `gateway`. */
  commitRow(gateway: number): void {
    this.length += 1;
    const { runs } = this;
    const last = runs.length - 2;
    if (last >= 0 && runs[last] === gateway) runs[last + 1]! += 1;
    else runs.push(gateway, 1);
  }

  /** Takes back the row that was counted last. */
  takeBackRow(): void {
    this.length -= 1;
    const { runs } = this;
    runs[runs.length - 1]! -= 1;
    if (runs.at(-1) === 0) runs.length -= 2;
  }

  /** Empties the table, keeping its room. */
  clear(): void {
    this.length = 0;
    this.runs.length = 0;
  }

  #grow(): void {
    const capacity = this.time.length * 2;
    const time = new Float64Array(capacity);
    time.set(this.time);
    this.time = time;
    const series = new Uint32Array(capacity);
    series.set(this.series);
    this.series = series;
    this.values = this.values.map((old) => {
      const column = new Float64Array(capacity);
      column.set(old);
      return column;
    });
  }
}
