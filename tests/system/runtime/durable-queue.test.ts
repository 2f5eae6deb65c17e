import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type DurableQueue, openDurableQueue } from "#runtime/durable-queue.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { mountSmallDisk, needsMount } from "../../support/small-disk.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { startChild } from "./children.ts";
import { recordAt } from "./queue-records.ts";

const MiB = 1024 * 1024;
let folder: string;
let temporary: Disposable;
beforeEach(() => {
  const made = tempFolder("queue");
  temporary = made;
  folder = made.path;
});
afterEach(() => temporary[Symbol.dispose]());

const open = (path: string): DurableQueue =>
  openDurableQueue({ path, maxLiveBytes: 2 ** 28, maxFileBytes: 2 ** 28, tables: ["counts"] });

/** Every record from `first` to `next` is there, once, with the right bytes. */
function expectWhole(queue: DurableQueue): void {
  const records = queue.read(0, Infinity);
  expect(records.map(({ position }) => position)).toEqual(
    Array.from({ length: queue.next - queue.first }, (_, index) => queue.first + index),
  );
  for (const { position, record } of records) {
    expect(Buffer.compare(record, recordAt(position)), `the record at ${position}`).toBe(0);
  }
}

test("after kill -9 in the middle of commits every reported one is there, and positions go on", async () => {
  let reported = 0;
  for (let kill = 0; kill < 8; kill++) {
    await using writer = startChild("queue-writer", [folder, "1000000"]);
    await writer.untilLines(10 + kill * 7);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    writer.kill("SIGKILL");
    await writer.ended;
    const last = Number(writer.lines.at(-1));
    expect(last).toBeGreaterThan(reported);
    reported = last;

    using queue = open(folder);
    expect(queue.next).toBeGreaterThanOrEqual(reported);
    expect(queue.first).toBeLessThanOrEqual(Math.max(0, queue.next - 100));
    expect(Buffer.from(queue.table("counts").get("next")!).toString()).toBe(String(queue.next));
    expectWhole(queue);
  }
});

test("after kill -9 in the middle of removals what was removed is gone, all else is there, and the counts are exact", async () => {
  for (let kill = 0; kill < 4; kill++) {
    await using remover = startChild("queue-remover", [folder]);
    await remover.untilLines(5 + kill * 9);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    remover.kill("SIGKILL");
    await remover.ended;
    const [next, removed] = remover.lines.at(-1)!.split(" ").map(Number) as [number, number];

    using queue = open(folder);
    expect(queue.next).toBeGreaterThanOrEqual(next);
    const records = queue.read(0, Infinity);
    for (const { position, record } of records)
      expect(Buffer.compare(record, recordAt(position)), `the record at ${position}`).toBe(0);
    const there = new Set(records.map(({ position }) => position));
    const wrong = Array.from({ length: queue.next - queue.first }, (_, i) => queue.first + i).filter(
      (position) => (position % 3 === 0 ? position < removed && there.has(position) : !there.has(position)),
    );
    expect(wrong).toEqual([]);
    expect(queue.first).toBe(records[0]!.position);
    expect(queue.holes).toBe(queue.next - queue.first - records.length);
    queue.remove(queue.ranges());
    expect([queue.first, queue.holes, queue.liveBytes]).toEqual([queue.next, 0, 0]);
  }
});

/** Does `work` until it throws; says what, and what `next` was before that time. */
function untilRefused(queue: DurableQueue, work: () => void): { refusal: unknown; next: number } {
  for (;;) {
    const { next } = queue;
    try {
      work();
    } catch (refusal) {
      return { refusal, next };
    }
  }
}

test("two processes cannot have one queue", async () => {
  using queue = open(folder);
  await using writer = startChild("queue-writer", [folder, "1"]);
  expect(await writer.ended).toBe(1);
  expect(writer.stderr()).toContain(`is used by process ${process.pid}`);
  expect(queue.next).toBe(0);
});

test("after a drained backlog the file does not grow further", async () => {
  using queue = open(folder);
  const append = (count: number): void => {
    queue.commit((transaction) => {
      for (let index = 0; index < count; index++) transaction.append(new Uint8Array(9_300));
    });
  };
  for (let group = 0; group < 40; group++) append(50);
  const backlog = queue.fileBytes;
  for (let group = 0; group < 120; group++) {
    queue.trim(queue.first + 100);
    append(50);
    queue.read(queue.first, 500_000);
    await new Promise(setImmediate);
  }
  expect(queue.fileBytes).toBeLessThan(backlog * 1.1);
});

test("on a full disk large records can be removed anywhere, time and again, and once most are gone commits resume", async ({
  skip,
}) => {
  await using disk = await mountSmallDisk(folder, 6 * MiB);
  skip(disk === undefined, needsMount);
  using queue = open(join(folder, "queue"));
  const append = (count: number): void =>
    queue.commit((transaction) => {
      for (let index = 0; index < count; index++) transaction.append(new Uint8Array(65_000));
      transaction.table("counts").put("next", Buffer.from(String(queue.next)));
    });
  for (let round = 0; round < 6; round++) {
    for (const count of [2, 1]) untilRefused(queue, () => append(count));
    // Two of four: what is free lies in small pieces, and the trees have had some of their pages.
    const halves = queue.ranges().flatMap(({ from, to }) => {
      const pairs = Array.from({ length: Math.ceil((to - from) / 4) }, (_, i) => from + 4 * i);
      return pairs.map((pair) => ({ from: pair, to: Math.min(pair + 2, to) }));
    });
    const { liveBytes } = queue;
    queue.remove(halves.slice(0, 40));
    expect(queue.liveBytes).toBeLessThan(liveBytes);
  }
  queue.remove(queue.ranges());
  expect(queue.liveBytes).toBe(0);
  append(1);
});

test("on a full disk a commit is QUEUE_UNWRITABLE and keeps nothing; the rest is readable; trimming works; commits resume", async ({
  skip,
}) => {
  await using disk = await mountSmallDisk(folder, 2 * MiB);
  skip(disk === undefined, needsMount);
  const path = join(folder, "queue");
  let queue = open(path);
  const append = (count: number): void =>
    queue.commit((transaction) => {
      const { next } = queue;
      for (let index = 0; index < count; index++) transaction.append(recordAt(next + index));
    });
  for (let round = 0; round < 3; round++) {
    for (const count of [40, 7, 1]) {
      const { refusal, next } = untilRefused(queue, () => append(count));
      expect(refusal).toMatchObject({ code: "QUEUE_UNWRITABLE", message: expect.stringContaining(path) });
      expect(queue.next).toBe(next);
    }
    expectWhole(queue);
    queue[Symbol.dispose]();
    queue = open(path);
    expectWhole(queue);
    const { next } = queue;
    queue.trim(next - 3);
    expect([queue.first, queue.next]).toEqual([next - 3, next]);
    append(1);
    append(20);
    expectWhole(queue);
  }
  queue[Symbol.dispose]();
});

test("trimming works even when another's file has taken the last byte, and commits resume when that is gone", async ({
  skip,
}) => {
  await using disk = await mountSmallDisk(folder, 2 * MiB);
  skip(disk === undefined, needsMount);
  using queue = open(join(folder, "queue"));
  const append = (count: number): void =>
    queue.commit((transaction) => {
      const { next } = queue;
      for (let index = 0; index < count; index++) transaction.append(recordAt(next + index));
    });
  append(30);
  const other = join(folder, "other");
  expect(() => writeFileSync(other, Buffer.alloc(4 * MiB))).toThrow("ENOSPC");
  untilRefused(queue, () => append(40));
  const { next } = queue;
  queue.trim(next - 10);
  expect([queue.first, queue.next]).toEqual([next - 10, next]);
  expectWhole(queue);
  rmSync(other);
  append(40);
  expectWhole(queue);
});

test("lmdb itself never meets a full disk: its own failed write would break the heap", async ({ skip }) => {
  for (const size of [2 * MiB, 3 * MiB + 40_960]) {
    await using disk = await mountSmallDisk(folder, size);
    skip(disk === undefined, needsMount);
    await using filler = startChild("disk-filler", [join(folder, "queue"), "30"]);
    expect([await filler.ended, filler.lines, filler.stderr()]).toEqual([0, ["done"], ""]);
  }
});

test("on a full disk a queue cannot be made, and says so", async ({ skip }) => {
  await using disk = await mountSmallDisk(folder, MiB);
  skip(disk === undefined, needsMount);
  expect(() => writeFileSync(join(folder, "other"), Buffer.alloc(4 * MiB))).toThrow("ENOSPC");
  expect(() => open(join(folder, "queue"))).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^(QUEUE_UNWRITABLE|DATA_UNUSABLE)$/) }),
  );
});

test.for([
  "fdatasync:error=EIO:when=9",
  "fdatasync:error=EIO:when=12..15",
  // Its header is written by pwrite: lmdb gives the environment up, and it is opened anew.
  "pwrite64:error=EIO:when=20",
  "pwrite64:error=EIO:when=22",
  "pwrite64:error=EIO:when=23",
])("a disk that fails once (%s) costs a commit, not what was acknowledged", async (fault, { skip }) => {
  skip(!(await requireDebian("strace")), whySkipped("strace"));
  const { refused, ...found } = await commitsWith([
    "-e",
    `trace=${fault.split(":")[0]!}`,
    "-e",
    `inject=${fault}`,
  ]);
  expect(refused).toBeGreaterThan(0);
  expect(refused).toBeLessThan(10);
  expect(found).toEqual(nothingLost);
});

test("a disk that fails a commit and cannot be read for a while after it costs commits, not what was acknowledged", async ({
  skip,
}) => {
  skip(!(await requireDebian("strace")), whySkipped("strace"));
  // Of the queue's own file: the header's write, and the next openings.
  const faults = ["pwrite64:error=EIO:when=20", "openat:error=EIO:when=5..8"];
  const injected = faults.flatMap((fault) => ["-e", `inject=${fault}`]);
  const ofFile = ["-P", join(folder, "data.mdb"), "-e", "trace=pwrite64,openat"];
  const { refused, ...found } = await commitsWith([...ofFile, ...injected]);
  expect(refused).toBeGreaterThan(0);
  expect(refused).toBeLessThan(10);
  expect(found).toEqual(nothingLost);
});

const nothingLost = { live: { whole: true, extra: 0 }, reopened: { whole: true, extra: 0 } };

/** What `failing-disk` says. @param options  Of strace, which makes the disk fail. */
async function commitsWith(
  options: readonly string[],
): Promise<{ refused: number; live: object; reopened: object }> {
  const strace = ["strace", "-f", "-qq", "-o", "/dev/null", ...options];
  await using writer = startChild("failing-disk", [folder], strace);
  expect(await writer.ended).toBe(0);
  return JSON.parse(writer.lines[0]!) as { refused: number; live: object; reopened: object };
}
