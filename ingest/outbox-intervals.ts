import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";

/** Reading numbers `from` … `to - 1`. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Intervals one outbox may have; as JSON they take some 50 KB. */
export const maxIntervals = 10_000;

/** Reading numbers are below this, so that every bound is an exact double. */
const numberLimit = 2 ** 53;

const count = z.number().min(0).max(numberLimit).refine(Number.isInteger, "not an integer");

const IntervalSetJson = z.strictObject({
  end: count.meta({ description: "The highest number ever added, plus 1." }),
  forgotten: count,
  runs: z.array(count).meta({ description: "Numbers not known, numbers known, in turn, from 0." }),
});
export type IntervalSetJson = z.infer<typeof IntervalSetJson>;

/**
 * The reading numbers that have arrived from one gateway's outbox: sorted, disjoint half-open intervals of integers
 * in [0, 2^53). What is added twice is recognised, what is missing is counted.
 *
 * Bounded: beyond `limit` intervals the shortest one is forgotten (of equals the lowest; never the one just added).
 * Its numbers then count as missing, and as new when they are sent again. So the set may know too little and never
 * claims a number that has not arrived; `forgotten` says how many numbers it gave up.
 */
export class IntervalSet {
  readonly #limit: number;
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  #size = 0;
  #end = 0;
  #forgotten = 0;

  constructor(limit: number = maxIntervals) {
    if (!Number.isInteger(limit) || limit < 2) throw new RangeError(`limit ${limit} is not an integer >= 2`);
    this.#limit = limit;
  }

  /** How many numbers it knows. */
  get size(): number {
    return this.#size;
  }

  /** The highest number ever added; -1 when there was none. */
  get highest(): number {
    return this.#end - 1;
  }

  /** Numbers below the highest that are not known: the sum of all gaps. */
  get missing(): number {
    return this.#end - this.#size;
  }

  /** Numbers that had arrived and were given up for the bound; they are among `missing` until sent again. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** How many intervals it takes to say so. */
  get intervalCount(): number {
    return this.#from.length;
  }

  /**
   * Adds `from` … `to - 1`; O(1) at the end, else O(log n + intervals moved).
   * @returns how many of them are new.
   * @throws RangeError unless 0 <= from <= to <= 2^53, both integers.
   */
  add(from: number, to: number): number {
    checkInterval(from, to);
    if (from === to) return 0;
    const count = this.#from.length;
    const lastTo = this.#to[count - 1] ?? -1;
    if (to > this.#end) this.#end = to;
    if (from === lastTo) {
      this.#to[count - 1] = to;
      this.#size += to - from;
      return to - from;
    }
    if (from > lastTo) {
      this.#from.push(from);
      this.#to.push(to);
      this.#size += to - from;
      this.#forgetBeyondLimit(count);
      return to - from;
    }
    return this.#merge(from, to);
  }

  has(number: number): boolean {
    return this.covers(number, number + 1);
  }

  /** Are all of `from` … `to - 1` known? True for an empty range. */
  covers(from: number, to: number): boolean {
    if (from >= to) return true;
    const at = this.#firstEndingAfter(from);
    return at < this.#from.length && this.#from[at]! <= from && to <= this.#to[at]!;
  }

  /** Is any of `from` … `to - 1` known? */
  overlaps(from: number, to: number): boolean {
    if (from >= to) return false;
    const at = this.#firstEndingAfter(from);
    return at < this.#from.length && this.#from[at]! < to;
  }

  /** The lowest `limit` gaps below the highest number, from 0 on. */
  gaps(limit: number): Interval[] {
    const gaps: Interval[] = [];
    let from = 0;
    for (let i = 0; i < this.#from.length && gaps.length < limit; i += 1) {
      if (this.#from[i]! > from) gaps.push({ from, to: this.#from[i]! });
      from = this.#to[i]!;
    }
    if (from < this.#end && gaps.length < limit) gaps.push({ from, to: this.#end });
    return gaps;
  }

  *intervals(): Generator<Interval> {
    for (let i = 0; i < this.#from.length; i += 1) yield { from: this.#from[i]!, to: this.#to[i]! };
  }

  /** What the journal keeps: some 4 bytes an interval. */
  toJSON(): IntervalSetJson {
    const runs: number[] = [];
    let previous = 0;
    for (const { from, to } of this.intervals()) {
      runs.push(from - previous, to - from);
      previous = to;
    }
    return { end: this.#end, forgotten: this.#forgotten, runs };
  }

  /** @throws MarsadError QUEUE_CORRUPT when `json` is not what `toJSON` makes of a set with this limit. */
  static fromJSON(json: unknown, limit: number = maxIntervals): IntervalSet {
    const parsed = IntervalSetJson.safeParse(json);
    if (!parsed.success) throw corrupt(z.prettifyError(parsed.error));
    const { end, forgotten, runs } = parsed.data;
    if (runs.length % 2 !== 0 || runs.length > 2 * limit) throw corrupt(`${runs.length} numbers of runs`);
    const set = new IntervalSet(limit);
    let previous = 0;
    for (let i = 0; i < runs.length; i += 2) {
      const from = previous + runs[i]!;
      const to = from + runs[i + 1]!;
      // Not by `to > end`: a sum beyond the limit is rounded, perhaps to it.
      const isBeyond = from > end || runs[i + 1]! > end - from;
      if ((i > 0 && from === previous) || to === from || isBeyond) throw corrupt(`interval ${from} to ${to}`);
      set.#from.push(from);
      set.#to.push(to);
      set.#size += to - from;
      previous = to;
    }
    set.#end = end;
    set.#forgotten = forgotten;
    return set;
  }

  /** Index of the first interval that ends after `number`. */
  #firstEndingAfter(number: number): number {
    let low = 0;
    let high = this.#to.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#to[middle]! > number) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #merge(from: number, to: number): number {
    // Intervals `first` … `after - 1` overlap or touch the new one and become one with it.
    const first = this.#firstEndingAfter(from - 1);
    let after = first;
    let known = 0;
    while (after < this.#from.length && this.#from[after]! <= to) {
      known += this.#to[after]! - this.#from[after]!;
      after += 1;
    }
    if (after === first) {
      this.#from.splice(first, 0, from);
      this.#to.splice(first, 0, to);
      this.#size += to - from;
      this.#forgetBeyondLimit(first);
      return to - from;
    }
    const mergedFrom = Math.min(from, this.#from[first]!);
    const mergedTo = Math.max(to, this.#to[after - 1]!);
    this.#from.splice(first, after - first, mergedFrom);
    this.#to.splice(first, after - first, mergedTo);
    const added = mergedTo - mergedFrom - known;
    this.#size += added;
    return added;
  }

  #forgetBeyondLimit(justAdded: number): void {
    if (this.#from.length <= this.#limit) return;
    let shortest = -1;
    let length = Infinity;
    for (let i = 0; i < this.#from.length; i += 1) {
      const own = this.#to[i]! - this.#from[i]!;
      if (i !== justAdded && own < length) {
        shortest = i;
        length = own;
      }
    }
    this.#from.splice(shortest, 1);
    this.#to.splice(shortest, 1);
    this.#size -= length;
    this.#forgotten += length;
  }
}

function checkInterval(from: number, to: number): void {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || from > to || to > numberLimit) {
    throw new RangeError(`[${from}, ${to}) is not an interval of reading numbers`);
  }
}

function corrupt(why: string): MarsadError {
  return new MarsadError("QUEUE_CORRUPT", `Intervals of an outbox in the journal cannot be read: ${why}.`);
}
