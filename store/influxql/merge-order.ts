import type { Work } from "./work.ts";

/**
 * The order of rows by time, of several runs that are each in order already: those of equal times in the order of the runs.
 * @param time  The runs one after the other
 */
export async function mergeOrder(
  time: Float64Array,
  lengths: readonly number[],
  isAscending: boolean,
  work: Work,
): Promise<Int32Array> {
  const order = new Int32Array(time.length);
  if (lengths.length < 2) return order.map((_, i) => i);
  const runs = new Runs(time, lengths, isAscending);
  await work.inTurns(time.length, (from, to) => {
    for (let i = from; i < to; i++) order[i] = runs.next();
  });
  return order;
}

/** A heap of the runs' next rows. */
class Runs {
  readonly #time: Float64Array;
  readonly #isAscending: boolean;
  /** Of each run the row that comes next, and the one after its last. */
  readonly #next: Int32Array;
  readonly #end: Int32Array;
  readonly #heap: number[] = [];

  constructor(time: Float64Array, lengths: readonly number[], isAscending: boolean) {
    this.#time = time;
    this.#isAscending = isAscending;
    this.#next = new Int32Array(lengths.length);
    this.#end = new Int32Array(lengths.length);
    let at = 0;
    for (const [run, length] of lengths.entries()) {
      this.#next[run] = at;
      at += length;
      this.#end[run] = at;
      if (length > 0) this.#heap.push(run);
    }
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  next(): number {
    const run = this.#heap[0] ?? 0;
    const row = this.#next[run] ?? 0;
    this.#next[run] = row + 1;
    if (row + 1 === this.#end[run]) {
      const last = this.#heap.pop();
      if (this.#heap.length > 0 && last !== undefined) this.#heap[0] = last;
    }
    this.#sink(0);
    return row;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let first = at;
      if (left < heap.length && this.#isBefore(heap[left] ?? 0, heap[first] ?? 0)) first = left;
      if (right < heap.length && this.#isBefore(heap[right] ?? 0, heap[first] ?? 0)) first = right;
      if (first === at) return;
      const run = heap[at] ?? 0;
      heap[at] = heap[first] ?? 0;
      heap[first] = run;
      at = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const left = this.#time[this.#next[a] ?? 0] ?? 0;
    const right = this.#time[this.#next[b] ?? 0] ?? 0;
    if (left === right) return a < b;
    return this.#isAscending ? left < right : left > right;
  }
}
