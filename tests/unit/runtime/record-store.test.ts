import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRecordStore } from "#runtime/record-store.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "marsad-records-1.0-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("records are JSON, kept by table and key, and are there after reopening", async () => {
  {
    await using store = await openRecordStore(folder);
    store.transaction((records) => {
      records.put("gateways", "north-1", { agency: "water", tags: ["a", null, 1.5] });
      records.put("sensors", "north-1", "of another table");
    });
    expect(store.get("gateways", "north-1")).toEqual({ agency: "water", tags: ["a", null, 1.5] });
    expect(store.get("gateways", "north-2")).toBeUndefined();
  }
  await using store = await openRecordStore(folder);
  expect(store.get("gateways", "north-1")).toEqual({ agency: "water", tags: ["a", null, 1.5] });
  expect(store.get("sensors", "north-1")).toBe("of another table");
});

test("entries come in order of key, of one table, and of one prefix when asked", async () => {
  await using store = await openRecordStore(folder);
  store.transaction((records) => {
    for (const key of ["b/2", "a", "b/1", "b", "مضخة", "c"]) records.put("sensors", key, key.length);
    records.put("sensor", "b/9", 0);
    records.put("sensorsx", "b/0", 0);
  });
  expect(store.entries("sensors").map(([key]) => key)).toEqual(["a", "b", "b/1", "b/2", "c", "مضخة"]);
  expect(store.entries("sensors", { prefix: "b/" })).toEqual([
    ["b/1", 3],
    ["b/2", 3],
  ]);
  expect(store.entries("nothing")).toEqual([]);
});

test("a transaction sees its own writes, and one that throws leaves nothing", async () => {
  await using store = await openRecordStore(folder);
  store.transaction((records) => records.put("t", "kept", 1));
  const version = store.version;
  expect(() =>
    store.transaction((records) => {
      records.put("t", "lost", 2);
      expect(records.remove("t", "kept")).toBe(true);
      expect(records.entries("t")).toEqual([["lost", 2]]);
      throw new RangeError("changed my mind");
    }),
  ).toThrow(new RangeError("changed my mind"));
  expect(store.entries("t")).toEqual([["kept", 1]]);
  expect(store.version).toBe(version);
});

test("a transaction that awaits, or puts what JSON cannot say, is refused and leaves nothing", async () => {
  await using store = await openRecordStore(folder);
  expect(() => store.transaction(async (records) => records.put("t", "a", 1))).toThrow("must not await");
  expect(() => store.transaction((records) => records.put("t", "a", undefined))).toThrow("JSON");
  expect(store.entries("t")).toEqual([]);
});

test("the version rises with each transaction that wrote, and only with those", async () => {
  await using store = await openRecordStore(folder);
  expect(store.version).toBe(0);
  store.transaction((records) => {
    records.put("t", "a", 1);
    records.put("t", "b", 1);
  });
  expect(store.version).toBe(1);
  store.transaction((records) => records.get("t", "a"));
  store.transaction((records) => records.remove("t", "not there"));
  expect(store.version).toBe(1);
  expect(store.transaction((records) => records.remove("t", "a"))).toBe(true);
  expect(store.version).toBe(2);
});

test("a watcher hears of changes until its signal or the store's end", async () => {
  const stop = new AbortController();
  const heard: number[] = [];
  const heardToTheEnd: number[] = [];
  {
    await using store = await openRecordStore(folder);
    store.watch((version) => heard.push(version), { signal: stop.signal });
    store.watch((version) => heardToTheEnd.push(version), {
      signal: new AbortController().signal,
      interval_ms: 1,
    });
    store.transaction((records) => records.put("t", "a", 1));
    await expect.poll(() => heard).toEqual([1]);
    stop.abort();
    store.transaction((records) => records.put("t", "a", 2));
    await expect.poll(() => heardToTheEnd).toEqual([1, 2]);
    expect(heard).toEqual([1]);
  }
  expect(heardToTheEnd).toEqual([1, 2]);
});

test("a file that is not ours, or lost its end, is refused as corrupt", async () => {
  {
    await using store = await openRecordStore(folder);
    store.transaction((records) => records.put("t", "a", "x".repeat(1_000_000)));
  }
  for (const length of [900_000, 40_000, 8_191, 3]) {
    await truncate(join(folder, "data.mdb"), length);
    await expect(openRecordStore(folder)).rejects.toMatchObject({ code: "RECORDS_CORRUPT" });
  }
  await writeFile(join(folder, "data.mdb"), "not lmdb ".repeat(10_000));
  await expect(openRecordStore(folder)).rejects.toMatchObject({ code: "RECORDS_CORRUPT" });
});

test("a folder that cannot be made is told with its path", async () => {
  await writeFile(join(folder, "file"), "");
  await expect(openRecordStore(join(folder, "file", "records"))).rejects.toMatchObject({
    code: "RECORDS_UNWRITABLE",
    message: expect.stringContaining(join(folder, "file", "records")),
  });
});

test("disposing twice is safe", async () => {
  const store = await openRecordStore(folder);
  await store[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  expect(() => store.get("t", "a")).toThrow("closed");
});
