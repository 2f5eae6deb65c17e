import { rowsAt, type Sequence } from "../sequences.ts";

/** The `count` greatest (or smallest) values of each window, of equal ones the earlier; in order of time. */
export function bestPoints(
  sequence: Sequence,
  windows: Iterable<{ readonly from: number; readonly to: number }>,
  count: number,
  isTop: boolean,
): Sequence {
  const { time } = sequence;
  const values = sequence.columns[0]?.values ?? [];
  const compare = (a: number, b: number): number => {
    const order = Number(values[b]) - Number(values[a]);
    return (isTop ? order : -order) || (time[a] ?? 0) - (time[b] ?? 0) || a - b;
  };
  const kept: number[] = [];
  for (const { from, to } of windows)
    for (const row of bestRows(from, to, count, compare).sort((a, b) => (time[a] ?? 0) - (time[b] ?? 0)))
      kept.push(row);
  return rowsAt(sequence, Int32Array.from(kept));
}

/** The best first: each row finds its place among those kept, and the last falls out. */
function bestRows(
  from: number,
  to: number,
  count: number,
  compare: (a: number, b: number) => number,
): number[] {
  const best: number[] = [];
  for (let row = from; row < to; row++) {
    const worst = best.at(-1);
    if (best.length >= count && worst !== undefined && compare(row, worst) > 0) continue;
    let low = 0;
    let high = best.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(row, best[middle] ?? row) < 0) high = middle;
      else low = middle + 1;
    }
    best.splice(low, 0, row);
    if (best.length > count) best.pop();
  }
  return best;
}
