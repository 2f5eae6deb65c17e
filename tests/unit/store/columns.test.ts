import { expect, test } from "vitest";
import { Columns } from "#store/duckdb/columns.ts";

test("columns that were released hold no memory and no rows", () => {
  const rows = { time: Float64Array.of(1, 2), series: Uint32Array.of(3, 4), values: [Float64Array.of(5, 6)] };
  const columns = new Columns(1, 2);
  columns.append(rows, 0, 2, [0]);
  const { time, series, values } = columns;
  columns.release();
  expect([columns.length, time.length, series.length, values[0]?.length]).toEqual([0, 0, 0, 0]);
});
