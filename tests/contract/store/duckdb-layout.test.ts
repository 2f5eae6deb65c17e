import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type Reading, TestJournal } from "./journal.ts";

const log = pino({ level: "silent" });
const day = 86_400_000;
const start = Date.UTC(2026, 0, 1);

/** What a person sees who opens the closed file in the duckdb shell. */
async function ask(folder: string, sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(join(folder, "marsad.duckdb"), { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function tablesOf(folder: string): Promise<string[]> {
  const rows = await ask(
    folder,
    "SELECT table_name FROM duckdb_tables() WHERE regexp_matches(table_name, '[0-9]{6}$') ORDER BY 1",
  );
  return rows.map(([table]) => table as string);
}

function readmeQuery(): string {
  const readme = readFileSync(new URL("../../../store/README.md", import.meta.url), "utf8");
  return /^ {4}D (SELECT .*?;)$/ms.exec(readme)![1]!;
}

/** `perDay` readings of one sensor on each day, day after day from `first`. */
function days(measurement: string, first: number, count: number, perDay: number): Reading[] {
  return Array.from({ length: count * perDay }, (_, i) => ({
    measurement,
    sensor: "tf-012",
    time: start + first * day + Math.floor(i * (day / perDay)),
    fields: { stock: i, vehicles: i },
  }));
}

/** Changes a closed file as no version of ours would. */
async function tamper(file: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

function valve(time: number, open: number | boolean): Reading {
  return {
    measurement: "everything",
    sensor: "s",
    time,
    fields: { open },
  };
}

test("each UTC day of a busy measurement is a table of its own, and the README's query answers", async () => {
  using folder = tempFolder("store");
  const journal = new TestJournal();
  {
    await using store = await openDuckDbStore({ path: folder.path, log });
    await store.write(journal.batchOf(days("traffic_flow", 0, 5, 1440)));
  }
  expect(await tablesOf(folder.path)).toEqual([1, 2, 3, 4, 5].map((n) => `traffic_flow_2026010${n}`));
  expect(await ask(folder.path, readmeQuery())).toEqual([["tf-012", "1440", "2026-01-02 00:00:00", 2879]]);
  expect(await ask(folder.path, "FROM tally")).toEqual([["gw-1", "7200", "0", "0"]]);
  expect(await ask(folder.path, "FROM journal")).toEqual([[journal.uuid, "1"]]);
});

test("a measurement that says little has a table a month, so that a thousand days stay small", async () => {
  using folder = tempFolder("store");
  const journal = new TestJournal();
  {
    await using store = await openDuckDbStore({ path: folder.path, log });
    for (const part of [0, 1, 2, 3])
      await store.write(journal.batchOf(days("food_stock", part * 250, 250, 24)));
    expect(await store.count()).toBe(24_000);
  }
  const tables = await tablesOf(folder.path);
  expect(tables).toHaveLength(33);
  expect(tables.slice(0, 2)).toEqual(["food_stock_202601", "food_stock_202602"]);
});

test("days that come one by one get tables of their own until two of them were nearly empty", async () => {
  using folder = tempFolder("store");
  const journal = new TestJournal();
  {
    await using store = await openDuckDbStore({ path: folder.path, log });
    for (let n = 0; n < 3; n++) await store.write(journal.batchOf(days("food_stock", n, 1, 24)));
  }
  {
    // The month's table begins after a restart, and takes what comes late for a day that has none.
    await using store = await openDuckDbStore({ path: folder.path, log });
    await store.write(journal.batchOf(days("food_stock", 5, 1, 24)));
    await store.write(journal.batchOf([...days("food_stock", 4, 1, 24), ...days("food_stock", 1, 1, 24)]));
    const rows = await store.read({
      measurement: "food_stock",
      series: [0],
      from: start,
      to: start + 31 * day,
      limit: 1000,
      order: "asc",
    });
    expect(rows.time).toEqual(
      [0, 1, 2, 4, 5].flatMap((n) => days("food_stock", n, 1, 24)).map(({ time }) => time),
    );
    expect(await store.tallies()).toMatchObject([{ stored: 120, duplicate: 24 }]);
  }
  expect(await tablesOf(folder.path)).toEqual([
    "food_stock_202601",
    "food_stock_20260101",
    "food_stock_20260102",
  ]);
});

test("a field has one type in all of its tables, whatever the catalogue says later", async () => {
  using folder = tempFolder("store");
  const journal = new TestJournal({ everything: { open: "boolean" } });
  await using store = await openDuckDbStore({ path: folder.path, log });
  await store.write(journal.batchOf([valve(start, true), valve(start + day, false)]));
  const integer = { everything: { open: "integer" } } as const;
  const float = { everything: { open: "float" } } as const;
  const wider = await store.write(
    journal.batchOf([valve(start + day + 1, 1), valve(start + 2 * day, 3)], integer),
  );
  expect(wider.refused).toMatchObject([{ readings: 1 }]);
  await store.write(journal.batchOf([valve(start + day + 2, 0.5), valve(start + 2 * day, 0)], float));
  await store.write(journal.batchOf([valve(start + day + 3, true)]));
  const rows = await store.read({
    measurement: "everything",
    series: [0],
    from: start,
    to: start + 3 * day,
    limit: 10,
    order: "asc",
  });
  expect(rows.values).toEqual([[true, false, true, true, false]]);
});

test("a series number that means another series in the store is refused before anything is mixed", async () => {
  using folder = tempFolder("store");
  await using store = await openDuckDbStore({ path: folder.path, log });
  const reading = days("traffic_flow", 0, 1, 1)[0]!;
  await store.write(new TestJournal().batchOf([reading]));
  await expect(
    store.write(new TestJournal().batchOf([{ ...reading, sensor: "other" }])),
  ).rejects.toMatchObject({
    code: "STORE_FORMAT",
    message: expect.stringMatching(/series 0 is traffic_flow of test\/tf-012 in the store/),
  });
  expect(await store.count()).toBe(1);
});

test("a block that cannot be read is refused with its position, and the store goes on", async () => {
  using folder = tempFolder("store");
  await using store = await openDuckDbStore({ path: folder.path, log });
  const journal = new TestJournal()
    .append(days("traffic_flow", 0, 1, 3))
    .append(days("traffic_flow", 1, 1, 3));
  const { blocks, ...batch } = journal.batch(0);
  await expect(store.write({ ...batch, blocks: [blocks[0]!, new ArrayBuffer(24)] })).rejects.toMatchObject({
    code: "QUEUE_CORRUPT",
    message: expect.stringContaining("block 1 of journal"),
  });
  expect(await store.count()).toBe(0);
  await store.write(journal.batch(0));
  expect(await store.count()).toBe(6);
});

test("a file of a newer layout, or of another program, is refused and left as it is", async () => {
  using folder = tempFolder("store");
  const closed = await openDuckDbStore({ path: join(folder.path, "newer"), log });
  await closed[Symbol.asyncDispose]();
  await tamper(join(folder.path, "newer", "marsad.duckdb"), "UPDATE meta SET version = 99");
  await expect(openDuckDbStore({ path: join(folder.path, "newer"), log })).rejects.toMatchObject({
    code: "STORE_FORMAT",
    message: expect.stringContaining("has layout 99"),
  });
  await tamper(join(folder.path, "marsad.duckdb"), "CREATE TABLE somebody_elses (n INTEGER)");
  await expect(openDuckDbStore({ path: folder.path, log })).rejects.toMatchObject({ code: "STORE_FORMAT" });
  expect(await ask(folder.path, "SELECT table_name FROM duckdb_tables()")).toEqual([["somebody_elses"]]);
});

test("writes and failures are counted", async () => {
  using folder = tempFolder("store");
  const metrics = new Registry();
  await using store = await openDuckDbStore({ path: folder.path, log, metrics });
  const journal = new TestJournal();
  const [first, second] = days("traffic_flow", 0, 1, 2);
  await store.write(journal.batchOf([first!, second!, second!, { ...first!, fields: { vehicles: 77 } }]));
  await expect(
    store.write({ ...journal.append([first!]).batch(1), blocks: [new ArrayBuffer(8)] }),
  ).rejects.toMatchObject({ code: "QUEUE_CORRUPT" });
  const text = await metrics.metrics();
  expect(text).toContain('marsad_store_readings_total{outcome="new"} 2');
  expect(text).toContain('marsad_store_readings_total{outcome="merged"} 1');
  expect(text).toContain('marsad_store_readings_total{outcome="duplicate"} 1');
  expect(text).toContain('marsad_store_errors_total{code="QUEUE_CORRUPT"} 1');
  expect(text).toContain("marsad_store_write_seconds_count 1");
});

test("a folder that cannot be made is told as such", async () => {
  using folder = tempFolder("store");
  writeFileSync(join(folder.path, "store"), "a file");
  await expect(openDuckDbStore({ path: join(folder.path, "store", "x"), log })).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
    message: expect.stringContaining(join(folder.path, "store", "x")),
  });
});
