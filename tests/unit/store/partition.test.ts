import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Partition,
  day_ms,
  monthOf,
  parseTableName,
  startOfDay,
  tableName,
  widest,
} from "#store/duckdb/partition.ts";
import { Partitions } from "#store/duckdb/partitions.ts";

const january = Date.UTC(2026, 0);

function partition(span: Partition["span"], from: number, columns: Partition["columns"] = []): Partition {
  const to = span === "day" ? from + day_ms : monthOf(from).to;
  return {
    place: "main",
    table: tableName("m", span, from),
    measurement: "m",
    span,
    from,
    to,
    columns,
    rows: 0,
  };
}

test("a table is named after its measurement and its UTC day or month", () => {
  expect(tableName("traffic_flow", "day", Date.UTC(2026, 0, 31))).toBe("traffic_flow_20260131");
  expect(tableName("food_stock", "month", Date.UTC(2026, 11))).toBe("food_stock_202612");
});

test("a table's name tells measurement, span and time again", () => {
  const time = fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(2100, 0) });
  const measurement = fc.stringMatching(/^[a-z][a-z0-9_]{0,62}$/);
  fc.assert(
    fc.property(measurement, fc.constantFrom("day" as const, "month" as const), time, (name, span, at) => {
      const from = span === "day" ? startOfDay(at) : monthOf(at).from;
      const parsed = parseTableName(tableName(name, span, from));
      expect(parsed).toMatchObject({ measurement: name, span, from });
      expect(at >= parsed!.from && at < parsed!.to).toBe(true);
    }),
  );
});

test("tables that hold no readings are told apart by their names", () => {
  for (const name of ["meta", "series", "journal", "tally_change", "traffic_flow", "traffic_flow_20261399"]) {
    expect(parseTableName(name)).toBeUndefined();
  }
});

test("the wider of two column types holds the values of both", () => {
  expect([widest("BOOLEAN", "BIGINT"), widest("DOUBLE", "BIGINT"), widest("BOOLEAN", "BOOLEAN")]).toEqual([
    "BIGINT",
    "DOUBLE",
    "BOOLEAN",
  ]);
});

test("a day's own table goes before its month's", () => {
  const partitions = new Partitions();
  const [month, third] = [partition("month", january), partition("day", january + 2 * day_ms)];
  partitions.put(month);
  partitions.put(third);
  expect(partitions.at("m", january + day_ms)).toBe(month);
  expect(partitions.at("m", january + 2 * day_ms)).toBe(third);
  expect(partitions.at("m", january - day_ms)).toBeUndefined();
  expect(partitions.at("other", january)).toBeUndefined();
});

test("tables of a time range come in groups by time that do not overlap", () => {
  const partitions = new Partitions();
  for (const from of [january + 4 * day_ms, january, january - day_ms])
    partitions.put(partition("day", from));
  partitions.put(partition("month", january));
  partitions.put(partition("day", january + 31 * day_ms));
  const names = (from: number, to: number): string[][] =>
    partitions.groups("m", from, to).map((group) => group.map(({ table }) => table));
  expect(names(0, Date.UTC(2100, 0))).toEqual([
    ["m_20251231"],
    ["m_20260101", "m_202601", "m_20260105"],
    ["m_20260201"],
  ]);
  expect(names(january + 10 * day_ms, january + 31 * day_ms)).toEqual([["m_202601"]]);
  expect(names(january, january)).toEqual([]);
});

test("a measurement's fields are those of its newest table first, each with its widest type", () => {
  const partitions = new Partitions();
  partitions.put(
    partition("day", january, [
      { name: "old", type: "BOOLEAN" },
      { name: "a", type: "DOUBLE" },
    ]),
  );
  partitions.put(
    partition("day", january + day_ms, [
      { name: "a", type: "BIGINT" },
      { name: "b", type: "BIGINT" },
    ]),
  );
  expect(partitions.columns("m")).toEqual([
    { name: "a", type: "DOUBLE" },
    { name: "b", type: "BIGINT" },
    { name: "old", type: "BOOLEAN" },
  ]);
});
