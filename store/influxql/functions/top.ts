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
  const better = (a: number, b: number): number => {
    const order = Number(values[b]) - Number(values[a]);
    return (isTop ? order : -order) || (time[a] ?? 0) - (time[b] ?? 0) || a - b;
  };
  const kept: number[] = [];
  for (const { from, to } of windows) {
    const rows = Int32Array.from({ length: to - from }, (_, i) => from + i)
      .sort(better)
      .subarray(0, count);
    const best = [...rows].sort((a, b) => (time[a] ?? 0) - (time[b] ?? 0));
    kept.push(...best);
  }
  return rowsAt(sequence, Int32Array.from(kept));
}
