import { mkdtemp, rm } from "node:fs/promises";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DurableQueue, openDurableQueue } from "#runtime/durable-queue.ts";
import { startChild } from "./children.ts";
import { recordAt } from "./queue-records.ts";
import { mountSmallDisk, noSmallDisk } from "./tmpfs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "marsad-queue-"));
});
afterEach(() => rm(folder, { recursive: true }));

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

describe.skipIf(noSmallDisk !== undefined)(
  `on a full disk${noSmallDisk === undefined ? "" : ` (${noSmallDisk})`}`,
  () => {
    const MiB = 1024 * 1024;

    test("a commit is QUEUE_UNWRITABLE and keeps nothing; all acknowledged are readable; trimming works; commits resume", () => {
      using disk = mountSmallDisk(2 * MiB);
      const path = join(disk.path, "queue");
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

    test("trimming works even when another's file has taken the last byte", () => {
      using disk = mountSmallDisk(2 * MiB);
      using queue = open(join(disk.path, "queue"));
      queue.commit((transaction) => {
        for (let position = 0; position < 30; position++) transaction.append(recordAt(position));
      });
      const other = join(disk.path, "other");
      expect(() => writeFileSync(other, Buffer.alloc(4 * MiB))).toThrow("ENOSPC");
      for (const position of [30, 30, 30]) {
        expect(() =>
          queue.commit((transaction) => {
            for (let count = 0; count < 40; count++) transaction.append(recordAt(position + count));
          }),
        ).toThrow(expect.objectContaining({ code: "QUEUE_UNWRITABLE" }));
      }
      queue.trim(20);
      expect([queue.first, queue.next]).toEqual([20, 30]);
      expectWhole(queue);
      rmSync(other);
      queue.commit((transaction) => transaction.append(recordAt(30)));
      expectWhole(queue);
    });

    test("lmdb itself never meets it: its own failed write would break the heap", async () => {
      for (const size of [2 * MiB, 3 * MiB + 40_960]) {
        using disk = mountSmallDisk(size);
        await using filler = startChild("disk-filler", [join(disk.path, "queue"), "30"]);
        expect([await filler.ended, filler.lines, filler.stderr()]).toEqual([0, ["done"], ""]);
      }
    });

    test("a queue cannot be made, and says so", () => {
      using disk = mountSmallDisk(MiB);
      expect(() => writeFileSync(join(disk.path, "other"), Buffer.alloc(4 * MiB))).toThrow("ENOSPC");
      expect(() => open(join(disk.path, "queue"))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(QUEUE_UNWRITABLE|DATA_UNUSABLE)$/) }),
      );
    });
  },
);
