/**
 * The last time of each series, ms since 1970: a later reading is new without a look into the tables. What is known
 * here may be later than what is stored (a batch that failed), never earlier: too late costs a look, too early a
 * reading stored twice.
 *
 * After a restart nothing is known but each measurement's latest time (its floor), which no series of it has passed.
 */
export class Freshness {
  readonly #floors: ReadonlyMap<string, number>;
  /** By series number; NaN = not met since the restart. */
  #last = new Float64Array(1024).fill(Number.NaN);

  constructor(floors: ReadonlyMap<string, number>) {
    this.#floors = floors;
  }

  /** A series that has no reading in the tables, unless it was met before. */
  begin(series: number): void {
    this.#reserve(series);
    if (Number.isNaN(this.#last[series]!)) this.#last[series] = Number.NEGATIVE_INFINITY;
  }

  /** Asks of each row whether it is new, in order; `isNew[row]` becomes 1 or 0. Arrays may be longer than `rows`. */
  mark(measurement: string, time: Float64Array, series: Uint32Array, rows: number, isNew: Uint8Array): void {
    const floor = this.#floors.get(measurement) ?? Number.NEGATIVE_INFINITY;
    for (let row = 0; row < rows; row++) {
      const number = series[row]!;
      if (number >= this.#last.length) this.#reserve(number);
      let last = this.#last[number]!;
      if (Number.isNaN(last)) last = floor;
      const at = time[row]!;
      if (at > last) {
        this.#last[number] = at;
        isNew[row] = 1;
      } else {
        this.#last[number] = last;
        isNew[row] = 0;
      }
    }
  }

  #reserve(series: number): void {
    if (series < this.#last.length) return;
    const last = new Float64Array(Math.max(series + 1, this.#last.length * 2)).fill(Number.NaN);
    last.set(this.#last);
    this.#last = last;
  }
}
