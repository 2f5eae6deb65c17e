import { describe, expect, test } from "vitest";
import { JournalFile } from "#ingest/journal/journal-file.ts";
import { IntervalSet } from "#ingest/outbox-intervals.ts";
import type { DurableQueue } from "#runtime/durable-queue.ts";
import { MarsadError } from "#runtime/errors.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import {
  blockOf,
  bounds,
  groupOf,
  ledger,
  openJournalFile,
  openQueue,
  refused,
  textOf,
  waiting,
} from "./journal-support.ts";

describe("the journal's file", () => {
  test("gives back after a restart all that was committed with its blocks, counts to the last digit", () => {
    using folder = tempFolder("journal");
    const record = ledger({
      received: 2 ** 53 - 1,
      refused: { syntax: 3 },
      waiting: 7,
      waitingBytes: 77,
      lastSeen: 1.5e12,
    });
    const numbers = new IntervalSet();
    numbers.add(0, 5);
    numbers.add(2 ** 52, 2 ** 52 + 1);
    const outbox = { gateway: "gw-1", outbox: "o-1", intervals: numbers.toJSON(), lastUsed: 5 };
    const entry = { series: 4_000_000_000, agency: "water", measurement: "water_flow", sensor: "w.1:2" };
    const storeBase = [{ gateway: "gw-1", stored: 2 ** 52 + 1, merged: 0, duplicate: 1 }];
    let uuid: string;
    {
      using journal = openJournalFile(folder.path);
      ({ uuid } = journal);
      expect(snapshotOf(journal)).toEqual({
        first: 0,
        next: 0,
        series: [],
        storeBase: undefined,
        ledgers: [],
        outboxes: [],
        refusalsTaken: 0,
      });
      expect(
        journal.commit(
          groupOf({
            block: blockOf("one"),
            series: [entry],
            storeBase,
            refusalsTaken: 5,
            ledgers: [record],
            outboxes: [outbox],
          }),
        ),
      ).toBe(1);
      expect(journal.commit(groupOf({ ledgers: [ledger({ gateway: "gw-2" })] }))).toBe(1);
    }
    using journal = openJournalFile(folder.path);
    expect(journal.uuid).toBe(uuid);
    expect(snapshotOf(journal)).toEqual({
      first: 0,
      next: 1,
      refusalsTaken: 5,
      series: [entry],
      storeBase,
      ledgers: [record, ledger({ gateway: "gw-2" })],
      outboxes: [outbox],
    });
    expect(journal.commit(groupOf({ outboxesForgotten: [outbox] }))).toBe(1);
    expect(journal.snapshot().outboxes).toEqual([]);
    journal.commit(groupOf({ outboxesForgotten: [outbox], outboxes: [outbox] }));
    expect(journal.snapshot().outboxes).toEqual([outbox]); // forgotten and used again in one group
  });

  test("reads blocks by position, at least one, and says where it began after a trim", () => {
    using folder = tempFolder("journal");
    using journal = openJournalFile(folder.path);
    for (const text of ["a", "b", "c"]) journal.commit(groupOf({ block: blockOf(text) }));
    const read = (from: number, maxBytes: number): object => {
      const { first, next, blocks } = journal.read({ from, maxBytes });
      return { first, next, blocks: blocks.map(textOf) };
    };
    expect(read(0, 1_000)).toEqual({ first: 0, next: 3, blocks: ["a", "b", "c"] });
    expect(read(1, 1)).toEqual({ first: 1, next: 2, blocks: ["b"] });
    expect(read(3, 1_000)).toEqual({ first: 3, next: 3, blocks: [] });
    journal.trim(2);
    journal.trim(1);
    journal.trimNow();
    expect(read(0, 1_000)).toEqual({ first: 2, next: 3, blocks: ["c"] });
    expect(journal.status()).toMatchObject({ first: 2, next: 3 });
  });

  test("a full journal refuses the group whole, and takes it after a trim", () => {
    using folder = tempFolder("journal");
    using journal = openJournalFile(folder.path);
    let next = 0;
    const group = groupOf({
      block: new ArrayBuffer(100_000),
      deadLetters: [refused()],
      waiting: [waiting("w")],
    });
    const commitAll = (): void => {
      for (;;) next = journal.commit(group);
    };
    expect(commitAll).toThrow(expect.objectContaining({ code: "QUEUE_FULL" }));
    expect(journal.status()).toMatchObject({ next, nextDeadLetter: next });
    journal.trim(1);
    journal.trimNow();
    expect(journal.commit(group)).toBe(next + 1);
    expect(journal.waiting({ gateway: "gw-1", after: undefined, maxBytes: 1_000 })).toHaveLength(next + 1);
  });
});

/** A queue whose disk fails once: before the commit, or after it has kept all the same. */
function failing(queue: DurableQueue, when: { fails: "never" | "before" | "after" }): DurableQueue {
  return new Proxy(queue, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== "commit") return typeof value === "function" ? value.bind(target) : value;
      return (work: Parameters<DurableQueue["commit"]>[0]) => {
        const { fails } = when;
        when.fails = "never";
        const error = new MarsadError("QUEUE_UNWRITABLE", "the test says no");
        if (fails === "before") throw error;
        const result = target.commit(work);
        if (fails === "after") throw error;
        return result;
      };
    },
  });
}

describe("a commit that failed", () => {
  const everything = groupOf({
    block: blockOf("block"),
    ledgers: [ledger({ received: 3 })],
    waiting: [waiting("w")],
    deadLetters: [refused({ bytes: "bad" })],
  });

  test.each(["before", "after"] as const)(
    "%s it was kept is there once when it is tried again, with what went along",
    async (fails) => {
      using folder = tempFolder("journal");
      const when: Parameters<typeof failing>[1] = { fails: "never" };
      using journal = new JournalFile(failing(openQueue(folder.path), when), bounds);
      journal.commit(everything);
      for (const group of [everything, groupOf({ ...everything, block: undefined })]) {
        const before = journal.status();
        const waited = journal.waiting({ gateway: "gw-1", after: undefined, maxBytes: 1_000 }).length;
        when.fails = fails;
        expect(() => journal.commit(group)).toThrow("the test says no");
        const next = journal.commit(group);
        expect(next).toBe(before.next + (group.block ? 1 : 0));
        expect(journal.status()).toMatchObject({
          next,
          nextDeadLetter: before.nextDeadLetter + 1,
          deadLetterBytes: before.deadLetterBytes + 3,
        });
        expect(journal.waiting({ gateway: "gw-1", after: undefined, maxBytes: 1_000 })).toHaveLength(
          waited + 1,
        );
        expect(await journal.deadLetters({ limit: 10 })).toHaveLength(before.nextDeadLetter + 1);
      }
      expect(journal.commit(everything)).toBe(3);
    },
  );
});

describe("waiting payloads", () => {
  test("come back oldest first, in pieces, with their facts", () => {
    using folder = tempFolder("journal");
    using journal = openJournalFile(folder.path);
    const payloads = Array.from({ length: 150 }, (_, i) =>
      waiting(`payload ${i}`, { at: i, readings: i + 1 }),
    );
    journal.commit(groupOf({ waiting: [...payloads, waiting("another's", { gateway: "gw-10" })] }));
    let after: string | undefined;
    const read: string[] = [];
    for (;;) {
      const entries = journal.waiting({ gateway: "gw-1", after, maxBytes: 100 });
      if (entries.length === 0) break;
      expect(entries.length).toBeLessThan(15);
      read.push(...entries.map(({ bytes }) => textOf(bytes) ?? ""));
      after = entries.at(-1)?.key;
    }
    expect(read).toEqual(payloads.map(({ bytes }) => textOf(bytes)));
    expect(journal.waiting({ gateway: "gw-1", after: undefined, maxBytes: 1 })).toMatchObject([
      { gateway: "gw-1", agency: "water", channel: "lp", readings: 1, at: 0 },
    ]);
    expect(journal.waiting({ gateway: "gw-2", after: undefined, maxBytes: 1 })).toEqual([]);
  });

  test("leave, and what remains of one keeps its place", () => {
    using folder = tempFolder("journal");
    using journal = openJournalFile(folder.path);
    journal.commit(groupOf({ waiting: ["a", "b", "c"].map((text) => waiting(text)) }));
    const all = (): (string | null)[] =>
      journal
        .waiting({ gateway: "gw-1", after: undefined, maxBytes: 1_000 })
        .map(({ bytes }) => textOf(bytes));
    const keys = journal
      .waiting({ gateway: "gw-1", after: undefined, maxBytes: 1_000 })
      .map(({ key }) => key);
    journal.commit(
      groupOf({
        waitingDone: [keys[0]!, keys[2]!],
        waiting: [waiting("a'", { key: keys[0] }), waiting("d")],
      }),
    );
    expect(all()).toEqual(["a'", "b", "d"]);
    journal.commit(groupOf({ waitingDone: ["no key", "gw-1.99"] }));
    expect(all()).toEqual(["a'", "b", "d"]);
  });
});

function snapshotOf(journal: JournalFile): object {
  const { series, ...rest } = journal.snapshot();
  return { ...rest, series: [...series] };
}
