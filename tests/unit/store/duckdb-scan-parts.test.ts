import { expect, test } from "vitest";
import type { Partition } from "#store/duckdb/partition.ts";
import { partsOf } from "#store/duckdb/query/time-parts.ts";
import { Windows } from "#store/influxql/windows.ts";

const day = 86_400_000;
const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);

function table(n: number, rows: number): Partition {
  const from = start + n * day;
  return {
    place: "main",
    table: `t_${n}`,
    measurement: "t",
    span: "day",
    from,
    to: from + day,
    columns: [],
    rows,
  };
}

function parts(
  rows: readonly number[],
  every_ms: number,
  share = 1,
): [from: number, to: number, tables: string][] {
  const groups = rows.map((count, n) => [table(n, count)]);
  const windows = new Windows({ every_ms, offset_ms: 0 });
  const range = { from: start, to: start + rows.length * day, share, rows: 1_000 };
  return partsOf(groups, range, windows).map(({ from, to, tables }) => [
    (from - start) / hour,
    (to - start) / hour,
    tables.map(({ table: name }) => name).join(),
  ]);
}

test("parts follow one another from beginning to end, where windows begin, and name the tables that they need", () => {
  expect(parts([2_000, 100, 100, 1_500], hour)).toEqual([
    [0, 12, "t_0"],
    [12, 24, "t_0"],
    [24, 84, "t_1,t_2,t_3"],
    [84, 96, "t_3"],
  ]);
  const fiveHours = new Windows({ every_ms: 5 * hour, offset_ms: 0 });
  const [, ...cuts] = parts([2_000, 2_000], 5 * hour).map(([from]) => start + from * hour);
  expect(cuts.length).toBeGreaterThan(2);
  expect(cuts).toEqual(cuts.map((cut) => fiveHours.startOf(cut)));
});

test("windows that are longer than the range are not cut; few rows are one part", () => {
  expect(parts([9_000, 9_000], 365 * day)).toEqual([[0, 48, "t_0,t_1"]]);
  expect(parts([9_000, 9_000], hour, 0.01)).toEqual([[0, 48, "t_0,t_1"]]);
});
