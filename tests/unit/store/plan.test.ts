import { expect, test } from "vitest";
import { type Partition, day_ms, monthOf, tableName } from "#store/duckdb/partition.ts";
import { Partitions } from "#store/duckdb/partitions.ts";
import { type Survey, plan, survey } from "#store/duckdb/plan.ts";
import type { Block, BlockTable } from "#telemetry/block.ts";

const january = Date.UTC(2026, 0);

function existing(span: Partition["span"], from: number, rows: number): Partition {
  const to = span === "day" ? from + day_ms : monthOf(from).to;
  return {
    place: "main",
    table: tableName("m", span, from),
    measurement: "m",
    span,
    from,
    to,
    columns: [{ name: "a", type: "BIGINT" }],
    rows,
  };
}

function partitionsOf(...all: Partition[]): Partitions {
  const partitions = new Partitions();
  for (const one of all) partitions.put(one);
  return partitions;
}

/** Rows for days of January 2026, counted from 0. */
function surveyOf(rows: Record<number, number>): Survey {
  return {
    columns: new Map([["a", "BIGINT"]]),
    days: new Map(Object.entries(rows).map(([n, count]) => [january + Number(n) * day_ms, count])),
  };
}

function tables({ byDay }: ReturnType<typeof plan>): string[] {
  return [...byDay.values()].map(({ table }) => table);
}

function table(fields: BlockTable["fields"], times: readonly number[]): BlockTable {
  return {
    measurement: "m",
    fields,
    rows: times.length,
    time: Float64Array.from(times),
    series: new Uint32Array(times.length),
    values: fields.map(() => new Float64Array(times.length)),
    runs: Uint32Array.of(0, times.length),
  };
}

function block(one: BlockTable): Block {
  return { newSeries: [], gateways: ["gw"], tables: [one], readings: one.rows };
}

test("a survey counts rows by UTC day and takes the widest type of each field", () => {
  const found = survey([
    block(
      table([{ name: "a", type: "integer" }], [january, january + day_ms - 1, january + day_ms, january]),
    ),
    block(
      table(
        [
          { name: "a", type: "boolean" },
          { name: "b", type: "float" },
        ],
        [january - 1],
      ),
    ),
  ]);
  expect(found.get("m")).toEqual({
    columns: new Map([
      ["a", "BIGINT"],
      ["b", "DOUBLE"],
    ]),
    days: new Map([
      [january, 3],
      [january + day_ms, 1],
      [january - day_ms, 1],
    ]),
  });
});

test("a first day gets a table of its own, however few its rows are", () => {
  const made = plan("m", surveyOf({ 3: 1 }), new Partitions());
  expect(tables(made)).toEqual(["m_20260104"]);
  expect(made.statements).toEqual([
    'CREATE TABLE "main"."m_20260104" (time TIMESTAMP_MS, series UINTEGER, "a" BIGINT)',
  ]);
});

test("many new days with few rows each share their months' tables", () => {
  const days = Object.fromEntries([0, 1, 2, 3, 40, 41, 42, 43].map((n) => [n, 24]));
  const made = plan("m", surveyOf(days), new Partitions());
  expect(new Set(tables(made))).toEqual(new Set(["m_202601", "m_202602"]));
  expect(made.statements).toHaveLength(2);
});

test("many new days with many rows each, or a few new days, get tables of their own", () => {
  expect(tables(plan("m", surveyOf({ 0: 1440, 1: 1440, 2: 1440, 3: 1440 }), new Partitions()))).toHaveLength(
    4,
  );
  expect(new Set(tables(plan("m", surveyOf({ 0: 5, 1: 5, 2: 5 }), new Partitions())))).toHaveLength(3);
});

test("a day after two nearly empty ones begins a month's table; after a busy one it does not", () => {
  const quiet = partitionsOf(existing("day", january, 90), existing("day", january + day_ms, 24));
  expect(tables(plan("m", surveyOf({ 2: 24 }), quiet))).toEqual(["m_202601"]);
  const busy = partitionsOf(existing("day", january, 90), existing("day", january + day_ms, 36_000));
  expect(tables(plan("m", surveyOf({ 2: 24 }), busy))).toEqual(["m_20260103"]);
  const first = partitionsOf(existing("day", january, 90));
  expect(tables(plan("m", surveyOf({ 2: 24 }), first))).toEqual(["m_20260103"]);
});

test("a measurement that became busy leaves its months' tables again", () => {
  const partitions = partitionsOf(
    existing("month", Date.UTC(2025, 10), 700),
    existing("month", Date.UTC(2025, 11), 900_000),
  );
  expect(tables(plan("m", surveyOf({ 0: 24 }), partitions))).toEqual(["m_20260101"]);
});

test("a table that is there gains missing columns, and wider ones, and is otherwise left alone", () => {
  const partitions = partitionsOf(existing("day", january, 5));
  expect(plan("m", surveyOf({ 0: 1 }), partitions).statements).toEqual([]);
  const made = plan(
    "m",
    {
      columns: new Map([
        ["b", "BOOLEAN"],
        ["a", "DOUBLE"],
      ]),
      days: new Map([[january, 1]]),
    },
    partitions,
  );
  expect(made.statements).toEqual([
    'ALTER TABLE "main"."m_20260101" ALTER COLUMN "a" SET DATA TYPE DOUBLE',
    'ALTER TABLE "main"."m_20260101" ADD COLUMN "b" BOOLEAN',
  ]);
  expect(made.byDay.get(january)?.columns).toEqual([
    { name: "a", type: "DOUBLE" },
    { name: "b", type: "BOOLEAN" },
  ]);
});
