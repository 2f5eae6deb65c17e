import type { Windows } from "../../influxql/windows.ts";
import type { Partition } from "../partition.ts";
import type { Slice } from "./slices.ts";

/** Rows of a part, more or less: many enough that another statement costs nothing, few enough that several threads end together. */
export const partRows = 3_500_000;

/**
 * Cuts [from, to) where windows begin, into parts of a few million rows.
 * @param groups  tables by time, not overlapping
 * @param of  `share` of the rows is read, at a guess; `rows` of them are to be in a part
 */
export function partsOf(
  groups: readonly (readonly Partition[])[],
  {
    from,
    to,
    share,
    rows: wanted,
  }: { readonly from: number; readonly to: number; readonly share: number; readonly rows: number },
  windows: Windows,
): Slice[] {
  const tables = groups.flat();
  const cuts: number[] = [];
  let rows = 0;
  for (const table of tables) {
    const [first, last] = [Math.max(from, table.from), Math.min(to, table.to)];
    const read = (table.rows * share * (last - first)) / (table.to - table.from);
    // Between tables where that comes near enough: closed days stand sorted, and a cut through one reads some of it twice.
    const pieces = Math.round(read / wanted);
    for (let piece = 1; piece < pieces; piece++) cuts.push(first + ((last - first) * piece) / pieces);
    rows += read;
    if (rows < wanted / 2) continue;
    cuts.push(last);
    rows = 0;
  }
  const starts = cuts.map((cut) => windows.startOf(Math.floor(cut)));
  const inside = [...new Set(starts)].filter((start) => start > from && start < to);
  const bounds = [from, ...inside.toSorted((a, b) => a - b), to];
  return bounds.slice(0, -1).map((begin, i) => {
    const end = bounds[i + 1]!;
    return { from: begin, to: end, tables: tables.filter((table) => table.from < end && table.to > begin) };
  });
}
