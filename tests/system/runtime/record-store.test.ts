import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRecordStore } from "#runtime/record-store.ts";
import { mountSmallDisk, needsMount } from "../../support/small-disk.ts";
import { startChild } from "./children.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "marsad-records-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("two processes writing at once lose nothing", async () => {
  await using store = await openRecordStore(folder);
  await using first = startChild("record-writer", [folder, "first", "300"]);
  await using second = startChild("record-writer", [folder, "second", "300"]);
  await Promise.all([first.untilLines(1), second.untilLines(1)]);
  for (let count = 0; count < 100; count++) {
    store.transaction((records) =>
      records.put("counters", "shared", Number(records.get("counters", "shared") ?? 0) + 1),
    );
    await new Promise(setImmediate);
  }
  expect([await first.ended, await second.ended]).toEqual([0, 0]);
  expect(Object.fromEntries(store.entries("counters"))).toEqual({ shared: 700, first: 300, second: 300 });
  expect(store.version).toBe(700);
});

test("a watcher sees another process' change in under a second", async () => {
  await using store = await openRecordStore(folder);
  const heard: number[] = [];
  store.watch((version) => heard.push(version), { signal: new AbortController().signal });
  await using writer = startChild("record-writer", [folder, "other", "1"]);
  await writer.untilLines(2);
  await expect.poll(() => heard, { timeout: 1000 }).toEqual([1]);
  expect(store.get("counters", "other")).toBe(1);
});

test("a writer killed in the middle blocks nobody, and what it was told is there", async () => {
  await using store = await openRecordStore(folder);
  for (let round = 1; round <= 5; round++) {
    const name = `writer-${round}`;
    await using writer = startChild("record-writer", [folder, name, "100000"]);
    await writer.untilLines(20 * round);
    writer.kill("SIGKILL");
    await writer.ended;
    expect(store.get("counters", name)).toBeGreaterThanOrEqual(Number(writer.lines.at(-1)));
    store.transaction((records) => records.put("after", name, true));
  }
  expect(store.entries("after")).toHaveLength(5);
});

test("on a full disk a change is RECORDS_UNWRITABLE and is not made; what was there is read", async ({
  skip,
}) => {
  await using disk = await mountSmallDisk(folder, 1024 * 1024);
  skip(disk === undefined, needsMount);
  await using store = await openRecordStore(join(folder, "records"));
  let count = 0;
  const fill = (): void => {
    for (;;) {
      store.transaction((records) => records.put("sensors", String(count), "x".repeat(10_000)));
      count++;
    }
  };
  expect(fill).toThrow(expect.objectContaining({ code: "RECORDS_UNWRITABLE" }));
  expect(count).toBeGreaterThan(20);
  expect([store.entries("sensors").length, store.version]).toEqual([count, count]);
  await using other = await openRecordStore(join(folder, "records"));
  expect(other.get("sensors", String(count - 1))).toBe("x".repeat(10_000));
});
