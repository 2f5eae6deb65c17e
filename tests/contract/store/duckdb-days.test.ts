import { copyFile, mkdir, open, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import * as fc from "fast-check";
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { DuckDbEngine, type EngineOptions, type HeldFiles } from "#store/duckdb/engine.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import type { RewriteStep } from "#store/duckdb/rewriting.ts";
import { settleCopy } from "#store/duckdb/settle-copy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { canMount, smallDisk } from "../../support/small-disk.ts";
import type { Reading } from "./journal.ts";
import { contentOf } from "./model.ts";
import { Pair, expectSame } from "./pair.ts";

const log = pino({ level: "silent" });
const day = 86_400_000;
const start = Date.UTC(2026, 0, 30);
const table = "traffic_flow_20260130";
const long_after = Date.UTC(2100, 0);
/** Any closed table of a few rows is worth it. */
const rules = { margin: 0, quiet: 0, patience: 0, fewestRows: 1, tail: 0 };

function options(folder: string, limits: EngineOptions["rewrite"] = {}): EngineOptions {
  return {
    path: join(folder, "marsad.duckdb"),
    memoryLimit: "256MB",
    threads: 1,
    closedDays: rules,
    rewrite: { reserve_bytes: 0, ...limits },
  };
}

/** `count` readings of a day from number `first` on: 20 sensors take turns, each says one every 20 s. */
function flow(first: number, count: number, fields: Reading["fields"] = {}, from = start): Reading[] {
  return Array.from({ length: count }, (_, i) => ({
    measurement: "traffic_flow",
    sensor: `s-${(first + i) % 20}`,
    time: from + (first + i) * 1000,
    fields: { vehicles: (first + i) % 50, speed_avg: 0.5, ...fields },
  }));
}

/** The same, one every 6 s: more of them are in a day. */
function densely(first: number, count: number, fields?: Reading["fields"]): Reading[] {
  return flow(first, count, fields).map((one) => ({ ...one, time: start + (one.time - start) * 0.3 }));
}

async function rewriteWhole(engine: DuckDbEngine, name: string): Promise<string[]> {
  const states: string[] = [];
  do states.push((await engine.rewriteStep(name)).state);
  while (states.at(-1) === "going");
  return states;
}

async function ask(path: string, sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A copy as a backup makes it, and as kill -9 would leave the files. */
async function copyHeld(folder: string, copy: string, { file_bytes, wal_bytes }: HeldFiles): Promise<void> {
  await mkdir(copy);
  for (const [name, bytes] of [
    ["marsad.duckdb", file_bytes],
    ["marsad.duckdb.wal", wal_bytes],
  ] as const) {
    await copyFile(join(folder, name), join(copy, name));
    await truncate(join(copy, name), bytes);
  }
}

const count = "SELECT count(*)::INTEGER FROM";

const wider = { traffic_flow: { vehicles: "float", speed_avg: "float", occupancy: "float" } } as const;

test("a rewritten day stands in series order; every reading and correction meanwhile is in it, seen at once, and there after a restart", async () => {
  using folder = tempFolder("days");
  const pair = new Pair();
  let engine = new DuckDbEngine(options(folder.path, { pieceRows: [1000, 1000] }));
  await pair.write(engine, [...flow(0, 3000), ...flow(5000, 5000), ...flow(0, 10, {}, start + day)]);
  await engine.checkpoint();
  expect(await engine.closedDays(start + day - 1)).toEqual([]);
  expect(await engine.closedDays(start + day)).toEqual([table]);

  const meanwhile = [
    flow(3000, 700), // late
    flow(100, 50, { speed_avg: 9 }), // corrections of what is copied already …
    flow(9900, 50, { vehicles: 77 }), // … and of what is not
    flow(100, 20, { speed_avg: 10 }), // again
    flow(5000, 30), // duplicates
    flow(10_000, 300), // new
  ];
  let last: RewriteStep | undefined;
  for (let step = 0; ; step++) {
    const { state, rows } = await engine.rewriteStep(table);
    await expectSame(pair, engine);
    last = { state, rows };
    if (state !== "going") break;
    await pair.write(engine, meanwhile[step] ?? []);
    await expectSame(pair, engine);
  }
  expect(last).toEqual({ state: "done", rows: 9000 });
  expect(await engine.closedDays(start + day)).toEqual([]);
  await engine.close();

  engine = new DuckDbEngine(options(folder.path));
  await expectSame(pair, engine);
  expect(await engine.closedDays(start + day)).toEqual([]);
  await pair.write(engine, flow(4000, 500)); // and on into the day that is rewritten
  await pair.write(engine, flow(0, 10, { vehicles: 1 }));
  await expectSame(pair, engine);
  await engine.close();
  const path = join(folder.path, "marsad.duckdb");
  const [[descents]] = (await ask(
    path,
    `SELECT count(*) FILTER (series < before)::INTEGER FROM
       (SELECT series, lag(series) OVER (ORDER BY rowid) AS before FROM ${table} WHERE rowid < 8700)`,
  )) as [[number]];
  expect(descents).toBeLessThan(10); // pieces
  expect(await ask(path, "FROM rewritten")).toEqual([[table, "9000"]]);
  expect(
    await ask(path, "SELECT count(*)::INTEGER FROM duckdb_tables() WHERE table_name LIKE 'rewrite_%'"),
  ).toEqual([[0]]);
});

test("a day that gains a field while it is rewritten is left, and rewritten later with that field", async () => {
  using folder = tempFolder("days");
  const pair = new Pair();
  const engine = new DuckDbEngine(options(folder.path, { pieceRows: [500, 500] }));
  await pair.write(engine, flow(0, 3000));
  for (let step = 0; step < 3; step++) await engine.rewriteStep(table);
  await pair.write(engine, flow(100, 50, { occupancy: 0.25 }), wider);
  expect(await rewriteWhole(engine, table)).toEqual(["disturbed"]);
  await expectSame(pair, engine);
  expect((await rewriteWhole(engine, table)).at(-1)).toBe("done");
  await expectSame(pair, engine);
  await engine.close();
});

test("a day into which too much is written meanwhile is left for later", async () => {
  using folder = tempFolder("days");
  const pair = new Pair();
  const engine = new DuckDbEngine(options(folder.path, { mostPending: 100 }));
  await pair.write(engine, flow(0, 1000));
  await engine.rewriteStep(table);
  await pair.write(engine, flow(2000, 200));
  expect(await rewriteWhole(engine, table)).toEqual(["disturbed"]);
  expect(await engine.closedDays(long_after)).toEqual([table]);
  await expectSame(pair, engine);
  await engine.close();
});

test("what is kept for a copy is bounded while no step is taken, too", async () => {
  using folder = tempFolder("days");
  const pair = new Pair();
  const engine = new DuckDbEngine(options(folder.path, { mostPending: 100 }));
  await pair.write(engine, flow(0, 1000));
  await engine.rewriteStep(table);
  await engine.hold();
  for (let n = 0; n < 20; n++) await pair.write(engine, flow(2000 + 30 * n, 30));
  await expectSame(pair, engine);
  await engine.letGo();
  await engine.close();
  expect(await ask(join(folder.path, "marsad.duckdb"), `${count} rewrite_pending`)).toEqual([[90]]);
});

test("while the files are held nothing is rewritten; a copy made in the middle of a rewrite is the whole store", async () => {
  using folder = tempFolder("days");
  const copy = join(folder.path, "copy");
  const pair = new Pair();
  const engine = new DuckDbEngine(options(folder.path, { pieceRows: [5000, 5000] }));
  await pair.write(engine, flow(0, 20_000));
  await engine.checkpoint();
  for (let step = 0; step < 3; step++) await engine.rewriteStep(table);
  await pair.write(engine, flow(30, 10, { vehicles: 9 }));
  const held = await engine.hold();
  expect(held.rows).toBe(20_000);
  expect(await engine.rewriteStep(table)).toEqual({ state: "held", rows: 0 });
  const expected = new Map(pair.model.rows);
  await pair.write(engine, flow(20_000, 500));
  await copyHeld(folder.path, copy, held);
  expect(await engine.letGo()).toBe(true);
  expect((await settleCopy(copy)).rows).toBe(20_000);
  expect((await rewriteWhole(engine, table)).at(-1)).toBe("done");
  await expectSame(pair, engine);
  await engine.close();

  const restored = new DuckDbEngine(options(copy));
  const sensors = Array.from({ length: 20 }, (_, i) => `s-${i}`);
  expect(await contentOf(restored, pair.journal, { traffic_flow: sensors })).toEqual(expected);
  await restored.close();
});

test("pieces of whole row groups, which DuckDB writes past its log, are whole in the files that each step leaves", async () => {
  using folder = tempFolder("days");
  const pair = new Pair();
  const engine = new DuckDbEngine(options(folder.path, { pieceRows: [130_000, 130_000] }));
  for (let n = 0; n < 13; n++) await pair.write(engine, densely(n * 20_000, 20_000));
  await engine.checkpoint();
  await engine.rewriteStep(table);
  await pair.write(engine, [...densely(1000, 500, { vehicles: 77 }), ...densely(260_000, 100)]);

  const left: unknown[] = [];
  for (let state = "going"; ;) {
    const held = await engine.hold();
    const copy = join(folder.path, `copy-${left.length}`);
    await copyHeld(folder.path, copy, held);
    await engine.letGo();
    expect(held.wal_bytes).toBeLessThan(1_000_000); // a piece is 3.6 MB
    expect((await settleCopy(copy)).rows).toBe(260_100);
    const sum = `SELECT count(*)::INTEGER, bit_xor(hash(time, series, vehicles, speed_avg))::VARCHAR FROM ${table}`;
    left.push(...(await ask(join(copy, "marsad.duckdb"), sum)));
    if (state === "done") break;
    ({ state } = await engine.rewriteStep(table));
  }
  expect(left).toHaveLength(5);
  expect(new Set(left.map(String)).size).toBe(1);
  await engine.close();
});

test("the room of the old tables is used again: day after day rewritten, the file stays as large as what is in it", async () => {
  using folder = tempFolder("days");
  const pair = new Pair();
  const engine = new DuckDbEngine(options(folder.path));
  const path = join(folder.path, "marsad.duckdb");
  const sizes: number[] = [];
  for (let round = 0; round < 6; round++) {
    await pair.write(engine, flow(round * 12_000, 12_000, {}, start + 5 * day));
    await pair.write(engine, flow(round * 500, 500));
    for (const name of await engine.closedDays(long_after)) await rewriteWhole(engine, name);
    await engine.checkpoint();
    sizes.push((await stat(path)).size);
  }
  expect(sizes.at(-1)!).toBeLessThan(sizes[1]! + 6 * 12_500 * 24);
  expect(await engine.count()).toBe(pair.model.rows.size);
  await engine.close();
});

test("a month's table is rewritten like a day's, also beside the tables of some of its days", async () => {
  using folder = tempFolder("days");
  const pair = new Pair();
  const engine = new DuckDbEngine(options(folder.path, { pieceRows: [10, 10] }));
  const january = Date.UTC(2026, 0, 1);
  const stock = (n: number): Reading[] =>
    Array.from({ length: 24 }, (_, hour) => ({
      measurement: "food_stock",
      sensor: `s-${hour % 2}`,
      time: january + n * day + hour * 3_600_000,
      fields: { stock: n },
    }));
  for (const n of [0, 1]) await pair.write(engine, stock(n));
  for (const n of [2, 3]) await pair.write(engine, stock(n));
  const due = await engine.closedDays(long_after);
  expect(due).toEqual(expect.arrayContaining(["food_stock_202601", "food_stock_20260101"]));
  for (const name of due) expect((await rewriteWhole(engine, name)).at(-1)).toBe("done");
  await expectSame(pair, engine);
  expect(await engine.closedDays(long_after)).toEqual([]);
  await engine.close();
});

test("a store of an earlier version, which knew of no rewrites, is taken over", async () => {
  using folder = tempFolder("days");
  const pair = new Pair();
  let engine = new DuckDbEngine(options(folder.path));
  await pair.write(engine, flow(0, 1000));
  await engine.close();
  const instance = await DuckDBInstance.create(join(folder.path, "marsad.duckdb"));
  const connection = await instance.connect();
  await connection.run("DROP TABLE rewritten");
  connection.closeSync();
  instance.closeSync();
  engine = new DuckDbEngine(options(folder.path));
  expect(await engine.closedDays(long_after)).toEqual([table]);
  expect((await rewriteWhole(engine, table)).at(-1)).toBe("done");
  await expectSame(pair, engine);
  await engine.close();
});

test("an open store rewrites its closed days by itself, counts it, and ends in the middle of one", async () => {
  using folder = tempFolder("days");
  const metrics = new Registry();
  const pair = new Pair();
  const closedDays = { now: () => start + 2 * day, interval: 5, rules, limits: { reserve_bytes: 0 } };
  {
    await using store = await openDuckDbStore({ path: folder.path, log, metrics, closedDays });
    await pair.write(store, [...flow(0, 5000), ...flow(0, 100, {}, start + 2 * day)]);
    await expect
      .poll(() => metrics.metrics(), { timeout: 20_000 })
      .toContain('marsad_store_rewrites_total{outcome="done"} 1');
    const text = await metrics.metrics();
    expect(text).toContain("marsad_store_rewrite_last_rows 5000");
    await expect.poll(() => metrics.metrics()).toContain("marsad_store_days_waiting 0");
    await expectSame(pair, store);
  }
  const slow = {
    ...closedDays,
    now: () => long_after,
    limits: { reserve_bytes: 0, pieceRows: [1, 1] as const },
  };
  const store = await openDuckDbStore({ path: folder.path, log, closedDays: slow });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await store[Symbol.asyncDispose]();
  const path = join(folder.path, "marsad.duckdb");
  expect(await ask(path, `${count} ${table}`)).toEqual([[5000]]);
  await using again = await openDuckDbStore({ path: folder.path, log });
  await expectSame(pair, again);
});

test.skipIf(!canMount())(
  "a disk that is full in the middle of a rewrite leaves the day as it was; with room again it is rewritten (mounts a disk: root only)",
  async () => {
    using disk = smallDisk("days", 64);
    const pair = new Pair();
    // So that it is DuckDB that meets the end of the disk, not the look for room before each piece.
    const engine = new DuckDbEngine(
      options(disk.path, { pieceRows: [10_000, 10_000], reserve_bytes: -(2 ** 40) }),
    );
    const noise = (first: number, n: number): Reading[] =>
      flow(first, n).map((reading, i) => ({
        ...reading,
        fields: { vehicles: Math.sqrt(first + i), speed_avg: Math.cbrt(first + i) },
      }));
    for (let n = 0; n < 8; n++) await pair.write(engine, noise(n * 10_000, 10_000));
    await engine.checkpoint();
    const { size } = await stat(join(disk.path, "marsad.duckdb"));
    disk.resize(Math.ceil(size / 2 ** 20) + 1);
    await expect(rewriteWhole(engine, table)).rejects.toMatchObject({ code: "STORE_FULL" });
    await expectSame(pair, engine);
    expect(await engine.closedDays(long_after)).toEqual([table]);

    disk.resize(64);
    await pair.write(engine, [...noise(80_000, 100), ...flow(5, 5)]);
    expect((await rewriteWhole(engine, table)).at(-1)).toBe("done");
    await expectSame(pair, engine);
    await engine.close();
  },
);

test.skipIf(!canMount())(
  "a copy that could not be dropped on a full disk does not keep its room for good (mounts a disk: root only)",
  async () => {
    using disk = smallDisk("days", 300);
    const path = join(disk.path, "marsad.duckdb");
    const pair = new Pair();
    const engine = new DuckDbEngine(
      options(disk.path, { pieceRows: [10_000, 10_000], reserve_bytes: 256 * 2 ** 20 }),
    );
    for (let n = 0; n < 4; n++) await pair.write(engine, flow(n * 20_000, 20_000));
    await engine.checkpoint();
    for (let step = 0; step < 3; step++) await engine.rewriteStep(table);
    // Until the log's last page has no room for another record.
    const page = 4096;
    const logRest = async (): Promise<number> => page - ((await stat(`${path}.wal`)).size % page);
    for (let n = 0; (await logRest()) > 40; n++) await pair.write(engine, flow(80_000 + n, 1));
    const filler = await open(join(disk.path, "filler"), "w");
    disk.resize(280);
    await expect(
      (async () => {
        for (;;) await filler.write(Buffer.alloc(page));
      })(),
    ).rejects.toThrow("ENOSPC");
    await expect(engine.rewriteStep(table)).rejects.toMatchObject({ code: "STORE_FULL" });
    await filler.truncate(100 * 2 ** 20);
    await expect(engine.rewriteStep(table)).rejects.toMatchObject({ code: "STORE_FULL" });
    await filler.close();
    await engine.close();
    const leftovers = `${count} duckdb_tables() WHERE table_name LIKE 'rewrite_%'`;
    expect(await ask(path, leftovers)).toEqual([[0]]);
  },
);

test.skipIf(!canMount())(
  "where a copy has no room a rewrite is not begun, and that is told (mounts a disk: root only)",
  async () => {
    using disk = smallDisk("days", 32);
    const metrics = new Registry();
    const lines: string[] = [];
    const told = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
    const closedDays = { now: () => long_after, interval: 5, rules };
    await using store = await openDuckDbStore({ path: disk.path, log: told, metrics, closedDays });
    const pair = new Pair();
    await pair.write(store, flow(0, 1000));
    await expect
      .poll(() => metrics.metrics(), { timeout: 20_000 })
      .toContain('marsad_store_rewrites_total{outcome="failed"} 1');
    await expect.poll(() => metrics.metrics()).toContain("marsad_store_days_waiting 1");
    expect(lines.join("\n")).toMatch(
      /that needs 257 MiB on the disk, and \d+ MiB are free[^]*could not be rewritten in series order/,
    );
    await expectSame(pair, store);
  },
);

test.skipIf(!canMount())(
  "a write that fails for good while a day waits for its swap holds up nobody (mounts a disk: root only)",
  async () => {
    using disk = smallDisk("days", 32);
    const pair = new Pair();
    const engine = new DuckDbEngine(options(disk.path));
    await pair.write(engine, flow(0, 20_000));
    await engine.checkpoint();
    for (let step = 0; step < 2; step++) await engine.rewriteStep(table);
    const used = (await stat(join(disk.path, "marsad.duckdb"))).size;
    disk.resize(Math.ceil(used / 2 ** 20) + 1);

    // In this order: the swap waits for the reads, the write breaks the session, and what comes after it waits for the swap.
    const reads = Array.from({ length: 20 }, () => engine.count());
    const swapped = engine.rewriteStep(table);
    const written = engine.write(pair.journal.batchOf(flow(20_000, 60_000)));
    const later = Array.from({ length: 300 }, () => engine.count());
    const outcomes = await Promise.allSettled([...reads, swapped, written, ...later]);
    expect(outcomes.slice(20, 22)).toMatchObject([{ status: "rejected" }, { status: "rejected" }]);

    disk.resize(64);
    await expectSame(pair, engine);
    expect((await rewriteWhole(engine, table)).at(-1)).toBe("done");
    await expectSame(pair, engine);
    await engine.close();
  },
);

const small = fc.integer({ min: 0, max: 2 });
const reading = fc
  .record({
    day: fc.integer({ min: 0, max: 1 }),
    minute: fc.integer({ min: 0, max: 9 }),
    sensor: fc.constantFrom("a", "b", "c"),
    gateway: fc.constantFrom("gw-1", "gw-2"),
    vehicles: fc.option(small, { nil: undefined }),
    occupancy: fc.option(small, { nil: undefined, freq: 1 }),
  })
  .map(({ day: n, minute, sensor, gateway, vehicles, occupancy }): Reading => {
    const fields = {
      ...(vehicles !== undefined && { vehicles }),
      ...(occupancy !== undefined && { occupancy }),
      ...(vehicles === undefined && occupancy === undefined && { speed_avg: 1 }),
    };
    return {
      measurement: "traffic_flow",
      sensor,
      gateway,
      time: start + n * day + minute * 60_000,
      fields,
    };
  });
const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      readings: fc.array(reading, { minLength: 1, maxLength: 12 }),
      wide: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("step" as const),
      table: fc.constantFrom(table, "traffic_flow_20260131"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("abandon" as const, "checkpoint" as const, "hold" as const, "let go" as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);

test("any interleaving of writes, steps of rewrites, holds and restarts leaves what a Map would hold, at every moment", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 30 }), async (actions) => {
      using folder = tempFolder("days");
      const openEngine = (): DuckDbEngine => new DuckDbEngine(options(folder.path, { pieceRows: [4, 4] }));
      let engine = openEngine();
      const pair = new Pair();
      try {
        for (const now of actions) {
          if (now.do === "write") {
            // Without `wide`, readings with the new field would not be as sent.
            const readings = now.wide
              ? now.readings
              : now.readings.map((one) => ({ ...one, fields: narrowed(one.fields) }));
            await pair.write(engine, readings, now.wide ? wider : undefined);
          } else if (now.do === "step") await engine.rewriteStep(now.table);
          else if (now.do === "abandon") await engine.abandonRewrite();
          else if (now.do === "checkpoint") await engine.checkpoint();
          else if (now.do === "hold") await engine.hold();
          else if (now.do === "let go") await engine.letGo();
          else {
            await engine.close();
            engine = openEngine();
          }
          await expectSame(pair, engine);
        }
        await engine.letGo();
        for (const name of await engine.closedDays(long_after)) {
          const states = await rewriteWhole(engine, name);
          expect(["done", "disturbed"]).toContain(states.at(-1));
        }
        await expectSame(pair, engine);
      } finally {
        await engine.close();
      }
    }),
    { numRuns: Number(process.env["SOAK_HISTORIES"] ?? 15) },
  );
});

function narrowed({ vehicles = 1, speed_avg }: Reading["fields"]): Reading["fields"] {
  return speed_avg === undefined ? { vehicles } : { vehicles, speed_avg };
}
