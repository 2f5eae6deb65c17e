import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { pino } from "pino";
import { expect, test } from "vitest";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import type { Store } from "#store/port.ts";
import type { ResultBatch } from "#store/results.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type Reading, TestJournal } from "./journal.ts";

const log = pino({ level: "silent" });
const hour = 3_600_000;
const day = 24 * hour;
const midnight = Date.UTC(2026, 0, 31);

/** Asks the closed file, or changes it as no version of ours would. */
async function ask(folder: string, ...statements: string[]): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(join(folder, "marsad.duckdb"));
  const connection = await instance.connect();
  try {
    let rows: unknown[][] = [];
    for (const sql of statements) rows = (await connection.runAndReadAll(sql)).getRowsJson();
    return rows;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function alerts(state: readonly (string | null)[], batch: Partial<ResultBatch> = {}): ResultBatch {
  return {
    policy: "autogen",
    measurement: "alert",
    fields: [
      { name: "state", type: "string", values: state },
      { name: "state_code", type: "integer", values: Float64Array.from(state, (_, i) => i) },
    ],
    time: Float64Array.from(state, (_, i) => midnight + i),
    series: new Uint32Array(state.length),
    tagSets: [{ alert: "a-1", agency: "mobility", severity: "" }],
    ...batch,
  };
}

function rollup(time: readonly number[], batch: Partial<ResultBatch> = {}): ResultBatch {
  return {
    policy: "rollup_1m",
    measurement: "traffic_flow",
    fields: [{ name: "vehicles_sum", type: "float", values: Float64Array.from(time, (_, i) => i) }],
    time: Float64Array.from(time),
    series: Uint32Array.from(time, () => 0),
    ...batch,
  };
}

function reading(time: number): Reading {
  return { measurement: "traffic_flow", sensor: "s", time, fields: { vehicles: 1 } };
}

async function timesOf(store: Store, policy: ResultBatch["policy"]): Promise<number[]> {
  const times: number[] = [];
  const query = { policy, measurement: "traffic_flow", from: 0, to: Date.UTC(2100, 0) };
  for await (const { time } of store.rows(query)) times.push(...time);
  return times;
}

test("texts are kept as they are, and tag sets once, with numbers of their own", async () => {
  using folder = tempFolder("store");
  const texts = ['say "it\'s"', "two\nlines, a\ttab \\", "تنبيه: ضغط منخفض", "", null];
  {
    await using store = await openDuckDbStore({ path: folder.path, log });
    await store.writeResults([alerts(["x", ...texts.slice(1)])]);
    await store.writeResults([
      alerts(texts),
      alerts([null, "y"], {
        series: Uint32Array.of(0, 1),
        tagSets: [{ agency: "mobility", alert: "a-1" }, { alert: "a-2" }],
      }),
    ]);
    await expect(
      store.writeResults([
        alerts([], { fields: [{ name: "state", type: "float", values: Float64Array.of(1) }] }),
      ]),
    ).rejects.toMatchObject({ code: "REFUSED" });
  }
  expect(
    await ask(
      folder.path,
      "SELECT state, state_code FROM results.alert_202601 WHERE series = 0 ORDER BY time",
    ),
  ).toEqual(texts.map((text, i) => [text, String(i)]));
  expect(
    await ask(folder.path, "SELECT series, measurement, tags FROM result_series ORDER BY series"),
  ).toEqual([
    [0, "alert", '{"agency":"mobility","alert":"a-1"}'],
    [1, "alert", '{"alert":"a-2"}'],
  ]);
});

test("minutes are in tables of a day, hours and days in those of a month; fields are added and widened", async () => {
  using folder = tempFolder("store");
  {
    await using store = await openDuckDbStore({ path: folder.path, log });
    const times = [midnight, midnight + day];
    await store.writeResults([
      rollup(times),
      rollup(times, { policy: "rollup_1h" }),
      rollup(times, {
        policy: "rollup_1d",
        fields: [{ name: "n", type: "integer", values: Float64Array.of(1, 2) }],
      }),
      rollup(times.slice(0, 1), {
        policy: "rollup_1d",
        fields: [
          { name: "n", type: "float", values: Float64Array.of(0.5) },
          { name: "on", type: "boolean", values: Float64Array.of(1) },
        ],
      }),
    ]);
    expect(await store.count()).toBe(0);
  }
  const tables =
    "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE table_name LIKE 'traffic%' ORDER BY 1";
  expect((await ask(folder.path, tables)).flat()).toEqual([
    "rollup_1d.traffic_flow_202601",
    "rollup_1d.traffic_flow_202602",
    "rollup_1h.traffic_flow_202601",
    "rollup_1h.traffic_flow_202602",
    "rollup_1m.traffic_flow_20260131",
    "rollup_1m.traffic_flow_20260201",
  ]);
  expect(await ask(folder.path, 'SELECT n, "on" FROM rollup_1d.traffic_flow_202601')).toEqual([[0.5, true]]);
});

test("what an older version stored is marked to be rolled up", async () => {
  using folder = tempFolder("store");
  const journal = new TestJournal();
  {
    await using store = await openDuckDbStore({ path: folder.path, log });
    await store.write(journal.batchOf([midnight + 90_000, midnight + 5 * hour, midnight - 1].map(reading)));
  }
  const places = ["results", "rollup_1m", "rollup_1h", "rollup_1d"];
  await ask(
    folder.path,
    ...["dirty", "result_series"].map((table) => `DROP TABLE ${table}`),
    ...places.map((place) => `DROP SCHEMA ${place}`),
    "UPDATE meta SET version = 1",
  );
  await using store = await openDuckDbStore({ path: folder.path, log });
  const hours = await store.dirty();
  expect(hours.map(({ hour: begin }) => begin)).toEqual([midnight + 5 * hour, midnight, midnight - hour]);
  expect(hours.flatMap(({ minutes }) => [...minutes])).toEqual(Array.from({ length: 180 }, () => 1));
  await store.clean(hours);
  expect(await store.dirty()).toEqual([]);
});

test("what is old goes by whole tables, each policy by itself, and what comes late has a table again", async () => {
  using folder = tempFolder("store");
  const journal = new TestJournal();
  const times = [midnight - day, midnight - 1, midnight, midnight + day];
  const readings = times.map(reading);
  {
    await using store = await openDuckDbStore({ path: folder.path, log });
    await store.write(journal.batchOf(readings));
    await store.writeResults([rollup(times), alerts(["open"], { time: Float64Array.of(0) })]);
    expect(await store.expire("autogen", midnight + day - 1)).toEqual([
      "traffic_flow: 2 rows before 2026-01-31",
    ]);
    expect(await store.expire("autogen", midnight + day - 1)).toEqual([]);
    expect(await timesOf(store, "autogen")).toEqual([midnight, midnight + day]);
    expect(await timesOf(store, "rollup_1m")).toEqual(times);
    expect((await store.dirty()).map(({ hour: begin }) => begin)).toEqual([midnight + day, midnight]);
    expect(await store.expire("rollup_1m", midnight + 3 * day)).toHaveLength(1);
    expect(await timesOf(store, "rollup_1m")).toEqual([]);
    await store.write(journal.batchOf(readings.slice(0, 1)));
    await store.write(journal.batchOf(readings.slice(0, 1)));
    expect(await store.count()).toBe(3);
  }
  await using store = await openDuckDbStore({ path: folder.path, log });
  expect(await timesOf(store, "autogen")).toEqual([midnight - day, midnight, midnight + day]);
  expect((await store.dirty()).map(({ hour: begin }) => begin)).toEqual([
    midnight + day,
    midnight,
    midnight - day,
  ]);
});
