import type { ReadingTable } from "../reading-table.ts";

/** The rows that a payload has added so far: all of them go when it turns out not to be plain. */
export class AddedRows {
  /** Each row's measurement, by its index in the catalogue. */
  #measurements = new Uint16Array(1024);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  add(measurement: number): void {
    if (this.#length === this.#measurements.length) {
      const grown = new Uint16Array(this.#length * 2);
      grown.set(this.#measurements);
      this.#measurements = grown;
    }
    this.#measurements[this.#length] = measurement;
    this.#length += 1;
  }

  takeBack(tables: readonly ReadingTable[]): void {
    while (this.#length > 0) {
      this.#length -= 1;
      tables[this.#measurements[this.#length]!]!.takeBackRow();
    }
  }
}
