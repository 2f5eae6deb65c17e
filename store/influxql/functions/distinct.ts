import { take } from "../vectors.ts";
import type { Points } from "./sequence-functions.ts";

/** Each value of a window once, by when it first came and then by value; their time is the window's. */
export function distinctValues(
  { time, value }: Points,
  windows: Iterable<{ readonly from: number; readonly to: number; readonly start: number }>,
): Points {
  const rows: number[] = [];
  const times: number[] = [];
  for (const { from, to, start } of windows) {
    const first = new Map<number | string | null, number>();
    for (let row = from; row < to; row++) {
      const key = value.values[row] ?? null;
      if (!first.has(key)) first.set(key, row);
    }
    const found = [...first.values()].sort(
      (a, b) => (time[a] ?? 0) - (time[b] ?? 0) || compare(value.values[a] ?? "", value.values[b] ?? ""),
    );
    for (const row of found) {
      rows.push(row);
      times.push(start);
    }
  }
  return { time: Float64Array.from(times), value: take(value, Int32Array.from(rows)) };
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
