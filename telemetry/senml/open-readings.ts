/**
 * The readings of one pack: records of one series and time are one, wherever they stand. Entries are numbers from 0, in the order of the readings'
 * first records.
 */
export class OpenReadings {
  /** Readings so far. */
  size = 0;
  /** By reading: where its row is, in its measurement's table; -1: it was kept before. */
  row = new Int32Array(firstCapacity);
  #series = new Uint32Array(firstCapacity);
  #time = new Float64Array(firstCapacity);
  #slot = new Uint32Array(firstCapacity);
  /** Open addressing: reading + 1 where it hashes to, or at the next free place; 0 is free. At most half full. */
  #slots = new Uint32Array(firstCapacity * 2);

  /** Forgets the pack before. */
  clear(): void {
    for (let reading = 0; reading < this.size; reading += 1) {
      if (this.#slot[reading] !== nowhere) this.#slots[this.#slot[reading]!] = 0;
    }
    this.size = 0;
  }

  /** @returns -1: there is none yet. */
  find(series: number, time: number): number {
    return this.#slots[this.#place(series, time)]! - 1;
  }

  /** Adds one that `find` did not find. */
  add(series: number, time: number, row: number): number {
    if (this.size === this.row.length) this.#grow();
    const reading = this.size;
    this.size += 1;
    this.#series[reading] = series;
    this.#time[reading] = time;
    this.row[reading] = row;
    const place = this.#place(series, time);
    this.#slot[reading] = place;
    this.#slots[place] = reading + 1;
    return reading;
  }

  /** Adds one that no other record joins. */
  addAlone(row: number): number {
    if (this.size === this.row.length) this.#grow();
    const reading = this.size;
    this.size += 1;
    this.row[reading] = row;
    this.#slot[reading] = nowhere;
    return reading;
  }

  /** The slot of that reading, or the free one where it belongs. */
  #place(series: number, time: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    // Times of a pack differ in their low bits: milliseconds modulo 2^32.
    const hash = Math.imul(series ^ Math.imul(time >>> 0, 0x9e3779b1), 0x85ebca6b);
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const reading = slots[slot]! - 1;
      if (reading === -1 || (this.#series[reading] === series && this.#time[reading] === time)) return slot;
    }
  }

  #grow(): void {
    const { size } = this;
    const [series, time, row, slot] = [this.#series, this.#time, this.row, this.#slot];
    this.#series = new Uint32Array(size * 2);
    this.#time = new Float64Array(size * 2);
    this.row = new Int32Array(size * 2);
    this.#slot = new Uint32Array(size * 2);
    this.#slots = new Uint32Array(size * 4);
    this.size = 0;
    for (let reading = 0; reading < size; reading += 1) {
      if (slot[reading] === nowhere) this.addAlone(row[reading]!);
      else this.add(series[reading]!, time[reading]!, row[reading]!);
    }
  }
}

const firstCapacity = 256;
/** The slot of a reading that is found by nobody. */
const nowhere = 2 ** 32 - 1;
