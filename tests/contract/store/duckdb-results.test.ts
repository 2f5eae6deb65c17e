import { copyFile, mkdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { pino } from "pino";
import { expect, test } from "vitest";
import { DuckDbEngine } from "#store/duckdb/engine.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { type SeriesRange, planRows, readPiece } from "#store/duckdb/job-rows.ts";
import { openSession } from "#store/duckdb/session.ts";
import { settleCopy } from "#store/duckdb/settle-copy.ts";
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

/** A sensor's, one a second. */
function many(sensor: string, count: number): Reading[] {
  return Array.from({ length: count }, (_, i) => ({ ...reading(midnight + i * 1000), sensor }));
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

test("pieces are divided by series, and a long series by time; none is missing, none comes twice", async () => {
  using folder = tempFolder("store");
  const journal = new TestJournal();
  {
    await using store = await openDuckDbStore({ path: folder.path, log });
    const readings = [many("a", 7), many("b", 4), many("c", 25), many("d", 1), many("e", 10)];
    await store.write(journal.batchOf(readings.flat().toReversed()));
  }
  const path = join(folder.path, "marsad.duckdb");
  const { database, partitions } = await openSession({ path, memoryLimit: "64MB", threads: 1 });
  try {
    const query = {
      policy: "autogen",
      measurement: "traffic_flow",
      from: midnight + 1000,
      to: midnight + day,
    } as const;
    const pieces: { series: number[]; time: number[] }[] = [];
    for (const planned of await planRows(database.jobs, partitions, query, 10)) {
      let range: SeriesRange | undefined = planned;
      while (range !== undefined) {
        const { piece, rest } = await readPiece(database.jobs, partitions, query, range, 10);
        pieces.push({ series: [...piece.series], time: [...piece.time] });
        range = rest;
      }
    }
    // e is the first that came: 9 rows; d has none in the time, c 24, b 3 and a 6.
    expect(pieces.map(({ series }) => [...new Set(series), series.length])).toEqual([
      [0, 9],
      [2, 10],
      [2, 10],
      [2, 4],
      [3, 4, 9],
    ]);
    const times = pieces.slice(1, 4).flatMap(({ time }) => time);
    expect(times).toEqual(Array.from({ length: 24 }, (_, i) => midnight + (i + 1) * 1000));
  } finally {
    database.close();
  }
});

test("closed days of roll-ups are rewritten in series order, with what is written meanwhile, over kill -9", async () => {
  using folder = tempFolder("store");
  const copy = join(folder.path, "copy");
  const id = "rollup_1m.traffic_flow_20260131";
  const options = {
    memoryLimit: "256MB",
    threads: 1,
    closedDays: { margin: 0, quiet: 0, patience: 0, fewestRows: 1, tail: 0 },
    rewrite: { reserve_bytes: 0, pieceRows: [200, 200] as const },
  };
  const rows = (from: number, count: number, plus: number): ResultBatch => {
    const numbers = Array.from({ length: count }, (_, i) => from + i);
    return rollup([], {
      time: Float64Array.from(numbers, (i) => midnight + Math.floor(i / 7) * 60_000),
      series: Uint32Array.from(numbers, (i) => i % 7),
      fields: [{ name: "vehicles_sum", type: "float", values: Float64Array.from(numbers, (i) => i + plus) }],
    });
  };
  const engine = new DuckDbEngine({ path: join(folder.path, "marsad.duckdb"), ...options });
  await engine.writeResults([rows(0, 1000, 0), alerts(["a"])]);
  await engine.checkpoint();
  expect(await engine.closedDays(midnight + 2 * day)).toContain(id);
  const meanwhile = [rows(1000, 300, 0), rows(10, 50, 0.5), rows(900, 50, 0.5)];
  let state = "";
  for (let step = 0; state !== "done"; step++) {
    ({ state } = await engine.rewriteStep(id));
    await engine.writeResults(meanwhile[step] === undefined ? [] : [meanwhile[step]!]);
  }
  await engine.writeResults([rows(20, 10, 0.25)]);
  // As kill -9 leaves the files: all of the rewrite is in the log.
  const held = await engine.hold();
  await mkdir(copy);
  for (const [name, bytes] of [
    ["marsad.duckdb", held.file_bytes],
    ["marsad.duckdb.wal", held.wal_bytes],
  ] as const) {
    await copyFile(join(folder.path, name), join(copy, name));
    await truncate(join(copy, name), bytes);
  }
  expect(held.rows).toBe(0);
  await engine.close();
  expect((await settleCopy(copy)).rows).toBe(0);

  for (const path of [folder.path, copy]) {
    const again = new DuckDbEngine({ path: join(path, "marsad.duckdb"), ...options });
    const { piece } = await again.readPiece(
      { policy: "rollup_1m", measurement: "traffic_flow", from: 0, to: midnight + day },
      { first: 0, last: 6 },
    );
    const found = Array.from(piece.time, (time, i) => [
      ((time - midnight) / 60_000) * 7 + piece.series[i]!,
      piece.fields[0]!.values[i]!,
    ]).toSorted((a, b) => a[0]! - b[0]!);
    expect(found).toEqual(
      Array.from({ length: 1300 }, (_, i) => {
        const plus = i >= 20 && i < 30 ? 0.25 : (i >= 10 && i < 60) || (i >= 900 && i < 950) ? 0.5 : 0;
        return [i, i + plus];
      }),
    );
    await again.close();
    const series = (await ask(path, `SELECT series FROM ${id} LIMIT 100`)).flat() as number[];
    expect(series).toEqual(series.toSorted((a, b) => a - b));
    expect(await ask(path, "SELECT name FROM rewritten")).toEqual([[id]]);
  }
});
