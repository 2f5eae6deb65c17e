import { expect, test } from "vitest";
import { explain, explanationResult } from "#store/influxql/explain.ts";
import { parse } from "#store/influxql/parser.ts";
import { makeRowsEngine } from "../../../support/rows-engine.ts";

const engine = makeRowsEngine({
  rows: [{ measurement: "water", tags: { sensor: "a", district: "n" }, time: 0, fields: { flow: 1 } }],
  now: Date.UTC(2026, 0, 2),
});

function explained(query: string): string {
  const [statement] = parse(query);
  if (statement?.kind !== "explain") throw new TypeError(query);
  const { series } = explanationResult(explain(statement.statement, engine), () => ["SELECT …"]);
  expect(series.map(({ columns }) => columns)).toEqual([["QUERY PLAN"]]);
  return series.flatMap(({ values }) => values.flatMap((column) => [...column.values])).join("\n");
}

test("a plan says what is read, and what is done with it", () => {
  const query =
    "EXPLAIN SELECT mean(flow), derivative(max(flow), 1m) FROM water WHERE time >= '2026-01-01' AND sensor = 'a' GROUP BY time(10m), district fill(previous) LIMIT 5 tz('Asia/Riyadh')";
  expect(explained(query)).toBe(`scan 1: autogen.water, 2025-12-31T21:00:00.000Z to 2026-01-02T00:00:00.001Z
  mean(flow) in windows of 10m on the clocks of Asia/Riyadh
  by district
  where sensor::tag = 'a'
  SELECT …
scan 2: autogen.water, 2025-12-31T20:50:00.000Z to 2026-01-02T00:00:00.001Z
  max(flow) in windows of 10m on the clocks of Asia/Riyadh
  by district
  where sensor::tag = 'a'
  SELECT …
steps
  columns mean(flow::float), derivative(max(flow::float), 1m)
    series by district
    limit 5
    fill(previous) beside values
    mean(flow::float) by scan 1, fill(previous)
    derivative(max(flow::float), 1m) from point to point
      max(flow::float) by scan 2, fill(previous)`);
});

test("a sub-query stands within what asks it, and rows are limited where they are read", () => {
  expect(explained("EXPLAIN SELECT median(x) FROM (SELECT flow AS x FROM water LIMIT 9) WHERE x > 3"))
    .toBe(`scan 1: autogen.water, the beginning to the end
  rows of flow, time ascending, at most 9 a series
  SELECT …
steps
  columns median(x::float)
    median(x::float) of all points
      rows of a sub-query where x::float > 3
        columns flow::float
          limit 9
          rows of scan 1`);
});
