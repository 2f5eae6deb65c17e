import { expect, test } from "vitest";
import { columnNames } from "#store/influxql/columns.ts";
import { isReadOnlyOf } from "#store/influxql/databases.ts";
import { parse } from "#store/influxql/parser.ts";

test.each([
  ["a, b", "a b"],
  ["mean(a), mean(b), mean(c)", "mean mean_1 mean_2"],
  ["mean(a) / max(b)", "mean_max"],
  ["mean(a) AS mean, mean(b)", "mean mean_1"],
  ["mean(a), max(b) AS mean_1, mean(c)", "mean mean_1 mean_2"],
  ["-a + (b * 2)", "a_b"],
  ["(a)", "a"],
  ["DISTINCT a", "distinct"],
  ["top(a, sensor, 3), top(a, 2)", "top sensor top_1"],
  ["non_negative_derivative(mean(a), 1s)", "non_negative_derivative"],
])("the columns of SELECT %s", (fields, expected) => {
  const [statement] = parse(`SELECT ${fields} FROM m`);
  expect(statement?.kind === "select" && columnNames(statement.fields).join(" ")).toBe(expected);
});

test.each([
  ["SELECT a FROM m", true],
  ["SELECT a FROM marsad.autogen.m; SHOW TAG KEYS ON marsad", true],
  ["SELECT a FROM _internal..m", false],
  ["SELECT a FROM m, (SELECT a FROM other..m)", false],
  ["EXPLAIN SELECT a FROM other..m", false],
  ["SHOW MEASUREMENTS ON other", false],
  ["SHOW SERIES FROM other..m", false],
])("%s is only of the database marsad: %s", (text, expected) => {
  expect(isReadOnlyOf(parse(text), "marsad")).toBe(expected);
});
