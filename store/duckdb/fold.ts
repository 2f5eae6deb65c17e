import type { Columns } from "./columns.ts";

/** What stood under some keys before: `found[row]` is 1 for a late row whose key has a row, with these values. */
export interface Existing {
  readonly found: Uint8Array;
  readonly values: readonly Float64Array[];
}

/** Rows of `late`, now holding what their key comes to; a key stands once in all. */
export interface Folded {
  readonly inserts: readonly number[];
  readonly updates: readonly number[];
}

export interface Counter {
  isNew(row: number): void;
  isMerged(row: number): void;
  isDuplicate(row: number): void;
}

const unchanged = 0;
const inserted = 1;
const updated = 2;

/**
 * Merges late rows field by field, in order of arrival: a present field wins over what was there, an absent one keeps
 * it. A reading that changes nothing is a duplicate. The first row of each key collects, in place.
 *
 * @param heads  For each row the first row with its key: `headsOf(late)`.
 */
export function fold(late: Columns, heads: Int32Array, existing: Existing, counter: Counter): Folded {
  const became = new Uint8Array(late.length);
  const touched: number[] = [];
  for (let row = 0; row < late.length; row++) {
    const head = heads[row]!;
    if (row === head) {
      touched.push(head);
      if (existing.found[head] !== 1) {
        became[head] = inserted;
        counter.isNew(row);
        continue;
      }
    }
    const changed =
      row === head ? mergeOnto(existing.values, head, late.values) : mergeInto(late.values, head, row);
    if (changed) {
      if (became[head] === unchanged) became[head] = updated;
      counter.isMerged(row);
    } else counter.isDuplicate(row);
  }
  return {
    inserts: touched.filter((row) => became[row] === inserted),
    updates: touched.filter((row) => became[row] === updated),
  };
}

/** Lays row `head` over what stood there before; the result is in row `head`. Did anything change? */
function mergeOnto(before: readonly Float64Array[], head: number, values: readonly Float64Array[]): boolean {
  let changed = false;
  for (let field = 0; field < values.length; field++) {
    const column = values[field]!;
    const old = before[field]![head]!;
    if (Number.isNaN(column[head]!)) column[head] = old;
    else if (column[head] !== old) changed = true;
  }
  return changed;
}

/** Lays row `row` over row `head`. Did anything change? */
function mergeInto(values: readonly Float64Array[], head: number, row: number): boolean {
  let changed = false;
  for (const column of values) {
    const value = column[row]!;
    if (Number.isNaN(value) || column[head] === value) continue;
    column[head] = value;
    changed = true;
  }
  return changed;
}

/** For each row, the first row of the same series and time: itself if it is the first. */
export function headsOf({ time, series, length }: Columns): Int32Array {
  // Open addressing over the rows: a Map needs a string or an object for a key of two numbers.
  let slots = 16;
  while (slots < length * 2) slots *= 2;
  const table = new Int32Array(slots).fill(-1);
  const heads = new Int32Array(length);
  for (let row = 0; row < length; row++) {
    let slot = hash(series[row]!, time[row]!) & (slots - 1);
    for (;;) {
      const head = table[slot]!;
      if (head === -1) {
        table[slot] = row;
        heads[row] = row;
        break;
      }
      if (time[head] === time[row] && series[head] === series[row]) {
        heads[row] = head;
        break;
      }
      slot = (slot + 1) & (slots - 1);
    }
  }
  return heads;
}

function hash(series: number, time: number): number {
  const high = Math.floor(time / 0x1_0000_0000);
  let mixed =
    Math.imul(series, 0x9e37_79b1) ^ Math.imul(time | 0, 0x85eb_ca6b) ^ Math.imul(high, 0xc2b2_ae35);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x2c1b_3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
