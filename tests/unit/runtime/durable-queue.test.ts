import { readFileSync } from "node:fs";
import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type DurableQueue,
  type DurableQueueOptions,
  jsonCodec,
  openDurableQueue,
} from "#runtime/durable-queue.ts";

const MiB = 1024 * 1024;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "marsad-queue-"));
});
afterEach(() => rm(folder, { recursive: true }));

function open(options: Partial<DurableQueueOptions> = {}): DurableQueue {
  return openDurableQueue({ path: folder, maxLiveBytes: 16 * MiB, maxFileBytes: 64 * MiB, ...options });
}
const record = (text: string, length = text.length): Uint8Array => Buffer.from(text.padEnd(length));
const texts = (queue: DurableQueue, from = 0, maxBytes = MiB): string[] =>
  queue.read(from, maxBytes).map(({ record }) => Buffer.from(record).toString().trim());
const append = (queue: DurableQueue, ...records: Uint8Array[]): number[] =>
  queue.commit((transaction) => records.map((each) => transaction.append(each)));

test("records come back in order, byte for byte, also after reopening", () => {
  const large = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
  {
    using queue = open();
    expect(append(queue, record("a"), large)).toEqual([0, 1]);
    expect(append(queue, new Uint8Array(0))).toEqual([2]);
  }
  using queue = open();
  expect(queue.read(0, MiB)).toEqual([
    { position: 0, record: new Uint8Array([97]) },
    { position: 1, record: large },
    { position: 2, record: new Uint8Array(0) },
  ]);
});

test("what is read has memory of its own, fit to be transferred and looked at as numbers", () => {
  using queue = open();
  append(queue, new Uint8Array(Float64Array.of(1.5, 2.5).buffer), record("x", 50_000));
  const [first, second] = queue.read(0, MiB);
  expect([first!.record.byteOffset, first!.record.buffer.byteLength]).toEqual([0, 16]);
  expect([second!.record.byteOffset, second!.record.buffer.byteLength]).toEqual([0, 50_000]);
  queue.read(0, MiB)[0]!.record.fill(0);
  expect(new Float64Array(first!.record.buffer)).toEqual(Float64Array.of(1.5, 2.5));
});

test("reading starts at any position, gives one record at least and stops at about the bytes asked for", () => {
  using queue = open();
  append(queue, ...Array.from({ length: 10 }, (_, index) => record(`r${index}`, 1000)));
  expect(texts(queue, 3, 1)).toEqual(["r3"]);
  expect(texts(queue, 3, 3200)).toEqual(["r3", "r4", "r5"]);
  expect(texts(queue, 9)).toEqual(["r9"]);
  expect(texts(queue, 10)).toEqual([]);
  queue.trim(4);
  expect(texts(queue, 0, 1)).toEqual(["r4"]);
});

test("positions never go back: not by trimming all, not by reopening, not by a commit that failed", () => {
  const uuid = ((): string => {
    using queue = open();
    append(queue, record("a"), record("b"));
    queue.trim(2);
    expect([queue.first, queue.next, queue.liveBytes]).toEqual([2, 2, 0]);
    return queue.uuid;
  })();
  using queue = open();
  expect([queue.uuid, queue.first, queue.next]).toEqual([uuid, 2, 2]);
  expect(() =>
    queue.commit((transaction) => {
      transaction.append(record("lost"));
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(append(queue, record("c"))).toEqual([2]);
});

test("trimming drops what is below, in many steps, and no more than there is", () => {
  using queue = open();
  append(queue, ...Array.from({ length: 2000 }, (_, index) => record(String(index))));
  queue.trim(1999);
  expect([queue.first, texts(queue)]).toEqual([1999, ["1999"]]);
  queue.trim(5);
  expect(queue.first).toBe(1999);
  queue.trim(1_000_000);
  expect([queue.first, queue.next]).toEqual([2000, 2000]);
  expect(append(queue, record("next"))).toEqual([2000]);
});

test("what is removed in the middle leaves the disk although older records stay, also after reopening", () => {
  {
    using queue = open();
    append(queue, ...Array.from({ length: 10 }, (_, index) => record(`r${index}`, 10_000)));
    const tenth = queue.liveBytes / 10;
    queue.remove([
      { from: 2, to: 4 },
      { from: 7, to: 8 },
    ]);
    expect(queue.liveBytes).toBe(7 * tenth);
    expect([queue.first, queue.next, queue.holes]).toEqual([0, 10, 3]);
  }
  {
    using queue = open();
    expect(texts(queue)).toEqual(["r0", "r1", "r4", "r5", "r6", "r8", "r9"]);
    expect(queue.ranges()).toEqual([
      { from: 0, to: 2 },
      { from: 4, to: 7 },
      { from: 8, to: 10 },
    ]);
    queue.remove([{ from: 0, to: 2 }]);
    expect([queue.first, queue.holes]).toEqual([4, 1]);
    queue.trim(8);
    expect([queue.first, queue.holes]).toEqual([8, 0]);
  }
  using queue = open();
  queue.remove([{ from: 9, to: 100 }]);
  expect([queue.first, queue.next, queue.ranges()]).toEqual([8, 10, [{ from: 8, to: 9 }]]);
  expect(append(queue, record("next"))).toEqual([10]);
  expect(texts(queue)).toEqual(["r8", "next"]);
});

test("a file with holes says so to programs that know none, and no longer when they are gone", () => {
  using queue = open();
  append(queue, record("a"), record("b"), record("c"));
  queue.remove([{ from: 1, to: 2 }]);
  expect(formatOnDisk()).toBe(2);
  queue.trim(2);
  append(queue, record("d"));
  expect(formatOnDisk()).toBe(1);
});

/** Of the newest of the states that a file has, current or not. */
function formatOnDisk(): unknown {
  const file = readFileSync(join(folder, "data.mdb"));
  const states = file.toString("latin1").match(/\{"format":[^}]*\}/g) ?? [];
  const newest = states.map((text) => JSON.parse(text) as { format: number; next: number; first: number });
  return newest.toSorted((one, other) => one.next + one.first - other.next - other.first).at(-1)?.format;
}

test("a commit changes records and tables together, or not at all", () => {
  using queue = open({ tables: ["series", "ledger"] });
  queue.commit((transaction) => {
    transaction.append(record("a"));
    transaction.table("series").put(1, record("one"));
    const ledger = transaction.table("ledger", jsonCodec);
    ledger.put("north-1", { received: 1 });
    expect(ledger.get("north-1")).toEqual({ received: 1 });
  });
  expect(() =>
    queue.commit((transaction) => {
      transaction.append(record("b"));
      transaction.trim(1);
      transaction.table("series").remove(1);
      transaction.table("ledger", jsonCodec).put("north-1", { received: 2 });
      throw new RangeError("changed my mind");
    }),
  ).toThrow(new RangeError("changed my mind"));
  expect(texts(queue)).toEqual(["a"]);
  expect(queue.table("series").get(1)).toEqual(new Uint8Array(record("one")));
  expect(queue.table("ledger", jsonCodec).get("north-1")).toEqual({ received: 1 });
});

test("trimming inside a commit is part of it", () => {
  using queue = open();
  append(queue, record("a"), record("b"));
  queue.commit((transaction) => {
    transaction.trim(1);
    transaction.append(record("c"));
  });
  expect([queue.first, queue.next, texts(queue)]).toEqual([1, 3, ["b", "c"]]);
});

test("tables are read by range, forwards and backwards, of ordered keys", () => {
  using queue = open({ tables: ["waiting"] });
  queue.commit((transaction) => {
    const waiting = transaction.table("waiting", jsonCodec);
    for (const gateway of ["north", "south"]) for (let n = 1; n <= 4; n++) waiting.put([gateway, n], n * 10);
  });
  const waiting = queue.table("waiting", jsonCodec);
  const north = { start: ["north", 2], end: ["north", 4] };
  expect(waiting.range(north)).toEqual([
    { key: ["north", 2], value: 20 },
    { key: ["north", 3], value: 30 },
  ]);
  expect(waiting.keys({ ...north, reverse: true })).toEqual([
    ["north", 3],
    ["north", 2],
  ]);
  expect(waiting.keys({ limit: 1, reverse: true })).toEqual([["south", 4]]);
  expect(waiting.keys({ start: ["north", 4], limit: 2 })).toEqual([
    ["north", 4],
    ["south", 1],
  ]);
  expect(waiting.keys({ end: ["south", 0] })).toHaveLength(4);
  expect(waiting.range()).toHaveLength(8);
  queue.commit((transaction) =>
    expect(transaction.table("waiting").removeRange({ start: ["south"] })).toBe(4),
  );
  expect(waiting.range()).toHaveLength(4);
});

test("a table that was not named, or is changed outside of a commit, is refused", () => {
  using queue = open({ tables: ["series"] });
  expect(() => queue.table("other").get(1)).toThrow("not named");
  let leaked: (() => void) | undefined;
  queue.commit((transaction) => (leaked = () => transaction.table("series").put(1, record("x"))));
  expect(() => leaked!()).toThrow("inside a transaction");
  expect(() => queue.commit(async () => undefined)).toThrow("must not await");
  expect(() => queue.commit(() => append(queue, record("nested")))).toThrow("do not nest");
});

test("a table named later is added to the file", () => {
  {
    using queue = open();
    append(queue, record("a"));
  }
  using queue = open({ tables: ["series"] });
  queue.commit((transaction) => transaction.table("series").put("x", record("1")));
  expect(texts(queue)).toEqual(["a"]);
});

test("beyond the bound on live bytes a commit is QUEUE_FULL and keeps nothing; trimming makes room", () => {
  using queue = open({ maxLiveBytes: 120_000, tables: ["ledger"] });
  append(queue, ...Array.from({ length: 9 }, () => record("x", 10_000)));
  const full = queue.liveBytes;
  expect(() => append(queue, record("small"), record("y", 10_000))).toThrow(
    expect.objectContaining({ code: "QUEUE_FULL" }),
  );
  expect([queue.next, queue.liveBytes]).toEqual([9, full]);
  queue.commit((transaction) => transaction.table("ledger").put("still", record("possible")));
  queue.trim(1);
  expect(queue.liveBytes).toBeLessThan(full);
  expect(append(queue, record("y", 10_000))).toEqual([9]);
});

test("the file keeps to its bound while full, and what was drained can be filled again without growth", () => {
  using queue = open({ maxLiveBytes: 1024 * MiB, maxFileBytes: 4 * MiB });
  const group = [record("x", 9_300), record("y", 9_300), record("z", 500)];
  const fill = (): number => {
    const before = queue.next;
    const full = thrownBy(() => {
      for (;;) append(queue, ...group);
    });
    expect(full).toMatchObject({ code: "QUEUE_FULL", message: expect.stringContaining(folder) });
    return queue.next - before;
  };
  expect(fill()).toBeGreaterThan(350);
  const full = queue.fileBytes;
  expect(full).toBeLessThan(5.5 * MiB);
  for (let round = 0; round < 5; round++) {
    queue.trim(queue.next - 10);
    expect(fill()).toBeGreaterThan(350);
    expect(queue.fileBytes).toBeLessThan(full * 1.05);
  }
});

test("reading leaves no snapshot open: a queue that is drained as it fills keeps a small file", () => {
  using queue = open();
  for (let round = 0; round < 300; round++) {
    append(queue, ...Array.from({ length: 10 }, () => record("x", 9_300)));
    queue.read(queue.first, 100_000);
    if (round > 2) queue.trim(queue.first + 10);
  }
  expect(queue.fileBytes).toBeLessThan(2 * MiB);
});

test("a queue is opened once", () => {
  using queue = open();
  expect(() => open()).toThrow(expect.objectContaining({ code: "DATA_LOCKED" }));
  append(queue, record("a"));
  expect(texts(queue)).toEqual(["a"]);
  queue[Symbol.dispose]();
  queue[Symbol.dispose]();
  using again = open();
  expect(texts(again)).toEqual(["a"]);
});

test("a file that lost its end is QUEUE_CORRUPT", async () => {
  {
    using queue = open();
    append(queue, record("x", 2 * MiB));
  }
  await truncate(join(folder, "data.mdb"), MiB);
  expect(() => open()).toThrow(expect.objectContaining({ code: "QUEUE_CORRUPT" }));
  await truncate(join(folder, "data.mdb"), 10);
  expect(() => open()).toThrow(expect.objectContaining({ code: "QUEUE_CORRUPT" }));
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

type Step =
  | { readonly do: "append"; readonly lengths: readonly number[] }
  | { readonly do: "trim" | "trimInCommit"; readonly share: number }
  | { readonly do: "remove"; readonly gaps: readonly number[] }
  | { readonly do: "fail"; readonly lengths: readonly number[] }
  | { readonly do: "reopen" };

const lengths = fc.array(fc.oneof(fc.nat(100), fc.integer({ min: 1_990, max: 2_060 }), fc.nat(20_000)), {
  maxLength: 5,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("append" as const), lengths }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("trim" as const, "trimInCommit" as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("remove" as const), gaps: fc.array(fc.nat(4), { maxLength: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const), lengths }) },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
);

test("whatever is appended, trimmed, removed, failed and reopened, a queue holds what an array would", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const path = await mkdtemp(join(folder, "run-"));
      let queue = open({ path });
      const model = new Map<number, number>();
      let next = 0;
      const oldest = (): number => model.keys().next().value ?? next;
      for (const each of steps) {
        if (each.do === "append") {
          for (const length of each.lengths) model.set(next++, length);
          append(queue, ...each.lengths.map((length) => record("r", length)));
        } else if (each.do === "fail") {
          thrownBy(() =>
            queue.commit((transaction) => {
              for (const length of each.lengths) transaction.append(record("lost", length));
              transaction.trim(next);
              throw new Error("no");
            }),
          );
        } else if (each.do === "remove") {
          let end = oldest();
          const ranges = each.gaps.map((gap) => ({ from: end + gap, to: (end += 2 * gap + 1) }));
          for (const { from, to } of ranges)
            for (let position = from; position < to; position++) model.delete(position);
          queue.remove(ranges);
        } else if (each.do === "reopen") {
          queue[Symbol.dispose]();
          queue = open({ path });
        } else {
          const before = Math.round(oldest() + (next - oldest()) * each.share);
          for (const position of model.keys()) if (position < before) model.delete(position);
          if (each.do === "trim") queue.trim(before);
          else queue.commit((transaction) => transaction.trim(before));
        }
        expect([queue.first, queue.next]).toEqual([oldest(), next]);
        expect(queue.holes).toBe(next - oldest() - model.size);
        expect(
          queue.ranges().flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)),
        ).toEqual([...model.keys()]);
      }
      const kept = queue.read(0, Infinity).map(({ position, record }) => [position, record.length]);
      expect(kept).toEqual([...model].map(([position, length]) => [position, Math.max(length, 1)]));
      queue.trim(next);
      expect(queue.liveBytes).toBe(0);
      queue[Symbol.dispose]();
    }),
    { numRuns: 20 },
  );
});
