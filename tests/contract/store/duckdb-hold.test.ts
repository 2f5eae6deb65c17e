import { copyFile, mkdir, open, rename, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { pino } from "pino";
import { expect, test } from "vitest";
import { DuckDbEngine } from "#store/duckdb/engine.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { settleCopy } from "#store/duckdb/settle-copy.ts";
import type { Store, StoreHold } from "#store/port.ts";
import { storedRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type Reading, TestJournal } from "./journal.ts";

const log = pino({ level: "silent" });
const start = Date.UTC(2026, 0, 31);
const sensors = ["a", "b", "c"];

/** Readings `from` … `to - 1`: times rise, the sensors take turns. `value` tells corrections from first arrivals. */
function flow(from: number, to: number, value = 0): Reading[] {
  return Array.from({ length: to - from }, (_, i) => ({
    measurement: "traffic_flow",
    sensor: sensors[(from + i) % sensors.length]!,
    time: start + (from + i) * 1000,
    fields: { vehicles: from + i, speed_avg: value },
  }));
}

/** As `marsad backup` does it, from the files alone. */
async function copyHeld(from: string, to: string, { files }: StoreHold): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const { name, bytes } of files.filter((file) => file.bytes > 0)) {
    await copyFile(join(from, name), join(to, name));
    await truncate(join(to, name), bytes);
  }
}

const write = async (store: Store, journal: TestJournal, readings: readonly Reading[]): Promise<void> =>
  void (await store.write(journal.batchOf(readings)));

test("a copy made while 2,100 writes append and correct is the store as it was when the hold began", async () => {
  using folder = tempFolder("store");
  const [path, copy] = [join(folder.path, "store"), join(folder.path, "copy", "store")];
  const journal = new TestJournal();
  await using store = await openDuckDbStore({ path, log });
  // Some of it in the file, some in the log.
  await write(store, journal, flow(0, 20_000));
  await store[Symbol.asyncDispose]();
  await using again = await openDuckDbStore({ path, log });
  await write(again, journal, flow(20_000, 21_000));
  const held = journal.next;

  const hold = await again.hold!();
  expect(hold.rows).toBe(21_000);
  expect(hold.files.every(({ bytes }) => bytes > 0)).toBe(true);
  const copied = copyHeld(path, copy, hold);
  // As many as would bring a checkpoint on: new readings, corrections of rows in the file, a new table.
  for (let n = 0; n < 2100; n++) {
    const corrections = n % 50 === 0 ? flow(n * 9, n * 9 + 30, 1) : [];
    await write(again, journal, [...flow(21_000 + n, 21_001 + n), ...corrections]);
  }
  await write(again, journal, [
    { measurement: "food_stock", sensor: "s", time: start, fields: { stock: 1 } },
  ]);
  await copied;
  // The log has grown past where its copy ends, so that no checkpoint took place.
  const { size } = await stat(join(path, "marsad.duckdb.wal"));
  expect(size).toBeGreaterThan(hold.files.find(({ name }) => name.endsWith(".wal"))!.bytes);
  expect(await hold.release()).toBe(true);

  const settled = await settleCopy(copy);
  expect(settled.rows).toBe(21_000);
  expect(Object.fromEntries(settled.positions)).toEqual({ [journal.uuid]: held });
  const { rows, count } = await storedRows(join(folder.path, "copy"), "traffic_flow");
  expect(count).toBe(21_000);
  const expected = flow(0, 21_000).map(({ time, sensor, fields }) => ({
    agency: "test",
    sensor,
    time,
    fields,
  }));
  expect(rows).toEqual(expected);

  // The store itself lost nothing, and its checkpoints go on.
  expect(await again.count()).toBe(23_101);
  for (let n = 0; n < 5; n++) await write(again, journal, flow(30_000 + n, 30_001 + n));
  await again[Symbol.asyncDispose]();
  await expect(stat(join(path, "marsad.duckdb.wal"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a hold is told apart from one that the store could not keep", async () => {
  using folder = tempFolder("store");
  await using store = await openDuckDbStore({ path: folder.path, log });
  const first = await store.hold!();
  const second = await store.hold!();
  expect(await second.release()).toBe(true);
  expect(await first.release()).toBe(false);
});

test("a copy whose log was cut in the middle, or whose file is damaged, is not taken for the store", async () => {
  using folder = tempFolder("store");
  const path = join(folder.path, "store");
  const journal = new TestJournal();
  await using store = await openDuckDbStore({ path, log });
  await write(store, journal, flow(0, 100_000));
  const [cut, damaged] = [join(folder.path, "cut"), join(folder.path, "damaged")];
  const hold = await store.hold!();
  await copyHeld(path, cut, hold);
  await hold.release();
  const log_bytes = (await stat(join(cut, "marsad.duckdb.wal"))).size;
  await truncate(join(cut, "marsad.duckdb.wal"), log_bytes - 1000);
  const found = await settleCopy(cut).catch((error: unknown) => error);
  expect(found instanceof Error || (found as { rows: number }).rows !== hold.rows).toBe(true);

  await store[Symbol.asyncDispose]();
  // Of each block (256 KiB, after 12 KiB of headers) one copy in which it is damaged; some blocks are free.
  const { size } = await stat(join(path, "marsad.duckdb"));
  const offsets = Array.from(
    { length: Math.floor((size - 12_288) / 262_144) },
    (_, i) => 12_288 + i * 262_144,
  );
  const answers = await Promise.all(
    offsets.map(async (offset) => {
      const copy = join(damaged, String(offset));
      await mkdir(copy, { recursive: true });
      await copyFile(join(path, "marsad.duckdb"), join(copy, "marsad.duckdb"));
      await using file = await open(join(copy, "marsad.duckdb"), "r+");
      await file.write(Buffer.alloc(512, 0xaa), 0, 512, offset + 1000);
      return await settleCopy(copy).catch((error: unknown) => error);
    }),
  );
  const refused = answers.filter((answer) => answer instanceof Error);
  expect(refused.length).toBeGreaterThan(2);
  for (const error of refused) expect(error).toMatchObject({ code: expect.stringMatching(/^STORE_/) });
});

test("a hold that fails holds nothing: the log is moved into the file as before", async () => {
  using folder = tempFolder("store");
  const path = join(folder.path, "marsad.duckdb");
  const engine = new DuckDbEngine({ path, memoryLimit: "256MB", threads: 1 });
  try {
    await engine.write(new TestJournal().batchOf(flow(0, 1000)));
    await rename(path, `${path}.away`);
    await expect(engine.hold()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await rename(`${path}.away`, path);
    await engine.checkpoint();
    expect((await stat(`${path}.wal`).catch(() => undefined))?.size ?? 0).toBe(0);
  } finally {
    await engine.close();
  }
});
