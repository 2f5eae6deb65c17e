import { expect, test } from "vitest";
import { execute } from "#store/influxql/execute.ts";
import { InfluxqlError } from "#store/influxql/errors.ts";
import { parse } from "#store/influxql/parser.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { type EngineRow, makeRowsEngine, type Value } from "../../support/rows-engine.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { equalQueries } from "./executor-queries.ts";

/**
 * The executor over an engine of plain arrays beside influxd with the same rows: its steps are tested here, whatever a store does below. Rows of a
 * series that lie at the same time have no order in influxd; this data has none.
 */
const integers = ["vehicles", "n"];
const rows = [...waterRows(), ...trafficRows(), ...zonedRows()];

test("the executor answers as influxd does", async ({ skip }) => {
  skip(!(await requireDebian("influxdb")), whySkipped("influxdb"));
  using folder = tempFolder("executor");
  await using influxd = await startInfluxd({ folder: folder.path });
  await influxd.query("CREATE DATABASE marsad");
  expect(await influxd.write("marsad", rows.map(line).join("\n"))).toBe(204);
  const engine = makeRowsEngine({ rows, integers, now: Date.now() });
  const queries = equalQueries.trim().split("\n");
  const expected = await Promise.all(queries.map((query) => theirs(query, influxd)));
  for (const [i, query] of queries.entries())
    expect.soft({ query, answer: await ours(query, engine) }).toEqual({ query, answer: expected[i] });
});

async function theirs(query: string, influxd: Influxd): Promise<unknown> {
  try {
    const series = await influxd.query(query, "marsad");
    return series.map(({ name, tags, columns, values }) => ({
      name,
      tags,
      columns,
      values: values.map((row) => row.map(rounded)),
    }));
  } catch (error) {
    return error instanceof Error ? error.message.slice(query.length + 2) : error;
  }
}

async function ours(query: string, engine: ReturnType<typeof makeRowsEngine>): Promise<unknown> {
  try {
    const [statement] = parse(query);
    if (statement?.kind !== "select") throw new TypeError(query);
    const { series } = await execute(statement, engine);
    return series.map(({ name, tags, columns, values, rows: count }) => ({
      name,
      tags,
      columns,
      values: Array.from({ length: count }, (_, i) =>
        values.map(({ type, values: column }) => {
          const value = column[i] ?? null;
          if (value === null || Number.isNaN(value)) return null;
          return type === "boolean" ? value === 1 : rounded(value);
        }),
      ),
    }));
  } catch (error) {
    if (!(error instanceof InfluxqlError)) throw error;
    return error.message;
  }
}

/** influxd adds up by series, we by time: sums differ in the last digits. */
function rounded(value: string | number | boolean | null): string | number | boolean | null {
  return typeof value === "number" ? Number(value.toPrecision(10)) : value;
}

function line({ measurement, tags, time, fields }: EngineRow): string {
  const tagged = Object.entries(tags).map(([key, value]) => `,${key}=${value}`);
  const values = Object.entries(fields).map(([name, value]) => `${name}=${written(name, value)}`);
  return `${measurement}${tagged.join("")} ${values.join(",")} ${time}`;
}

function written(name: string, value: Value): string {
  if (typeof value === "string") return `"${value}"`;
  return integers.includes(name) ? `${String(value)}i` : String(value);
}

/** Four series with gaps, one of them without a district, fields of all types; always the same. */
function waterRows(): EngineRow[] {
  const start = Date.UTC(2026, 0, 1);
  const series = [
    { district: "north", sensor: "n1" },
    { district: "north", sensor: "n2" },
    { district: "south", sensor: "s1" },
    { sensor: "x1" },
  ];
  let state = 7;
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  return series.flatMap((tags, i) =>
    Array.from({ length: 24 }, (_, k) => k)
      .filter(() => random() >= 0.2)
      .map((k): EngineRow => ({
        measurement: "water",
        tags: tags as Record<string, string>,
        time: start + k * 300_000 + i * 7_000 + Math.floor(random() * 5) * 1000,
        fields: {
          flow: Math.round(random() * 1000) / 10,
          ...(random() < 0.6 && { pressure: Math.round(random() * 100) / 4 }),
          ...(random() < 0.5 && { vehicles: Math.floor(random() * 20) - 5 }),
          ...(random() < 0.4 && { open: random() < 0.5 }),
          ...(random() < 0.4 && { state: ["on", "off", "idle"][Math.floor(random() * 3)] ?? "on" }),
        },
      })),
  );
}

function trafficRows(): EngineRow[] {
  return Array.from({ length: 12 }, (_, k) => ({
    measurement: "traffic",
    tags: { sensor: "t1", road: k % 2 === 1 ? "a" : "b" },
    time: Date.UTC(2026, 0, 1) + k * 600_000,
    fields: { vehicles: k * k - 20, flow: k * 1.5, n: k },
  }));
}

/** An hourly value for three days around both changes of the clocks in Europe. */
function zonedRows(): EngineRow[] {
  return [Date.UTC(2026, 2, 28), Date.UTC(2026, 9, 24)].flatMap((start) =>
    Array.from({ length: 72 }, (_, k) => ({
      measurement: "zoned",
      tags: { s: "a" },
      time: start + k * 3_600_000 + 60_000,
      fields: { v: k },
    })),
  );
}
