import { setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { InFlight } from "#ingest/in-flight.ts";
import type { JournalRange } from "#ingest/journal/messages.ts";
import { type Made, StoreWriter } from "#ingest/writer.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { StoreBatch, StoreOutcome, StoreRefusal } from "#store/port.ts";
import { poll } from "../../support/poll.ts";

const readingsPerBlock = 10;

/** A journal of blocks that hold nothing but their position, and a store that remembers which it got. */
class Pair {
  readonly uuid = "journal-1";
  readonly inFlight = new InFlight(0);
  readonly made: Made[] = [];
  readonly stored: number[] = [];
  readonly batches: number[] = [];
  /** The next write refuses these. */
  refusals: StoreRefusal[] = [];
  refusalsKept = Promise.withResolvers<boolean>();
  readonly forgotten: number[] = [];
  /** What the journal was told of the store. */
  readonly told: boolean[] = [];
  position = 0;
  trimmedTo = 0;
  fails: "never" | "before" | "after" | "for ever" = "never";
  readonly #stop = new AbortController();
  #next = 0;
  readonly writer: StoreWriter;

  constructor(batchReadings = 100, batchMaxAge = 1, batchesAtOnce = 5) {
    this.writer = new StoreWriter(
      {
        journal: this,
        store: {
          batchesAtOnce,
          write: (batch) => this.#write(batch),
          position: async () => this.position,
          refusals: async () => this.refusals,
          forgetRefusals: async (_journal, before) => void this.forgotten.push(before),
          tallies: async () => [{ gateway: "gw-1", stored: this.stored.length, merged: 0, duplicate: 0 }],
        },
        inFlight: this.inFlight,
        batchReadings,
        batchMaxAge,
        log: pino({ level: "silent" }),
        signal: this.#stop.signal,
        onStored: (made) => this.made.push(made),
        refusalsKept: () => this.refusalsKept.promise,
      },
      0,
    );
  }

  commit(blocks: number): void {
    for (let i = 0; i < blocks; i += 1) this.inFlight.add([0, readingsPerBlock]);
    this.#next += blocks;
    this.writer.committedTo(this.#next);
  }

  stop(): void {
    this.#stop.abort();
  }

  async read(from: number, maxBytes: number): Promise<JournalRange> {
    const first = Math.max(from, this.trimmedTo);
    const next = Math.min(this.#next, first + Math.max(1, Math.floor(maxBytes / (44 * readingsPerBlock))));
    const blocks = Array.from({ length: next - first }, (_, i) => Uint32Array.of(first + i).buffer);
    return { first, next, blocks };
  }

  storeTakes(takes: boolean): void {
    this.told.push(takes);
  }

  async trim(before: number): Promise<void> {
    this.trimmedTo = before;
  }

  async #write({ first, next, blocks }: StoreBatch): Promise<StoreOutcome> {
    await turn();
    const { fails } = this;
    if (fails === "before" || fails === "for ever") {
      if (fails === "before") this.fails = "never";
      throw new MarsadError("STORE_UNAVAILABLE", "no");
    }
    if (first !== this.position) throw new Error(`a batch from ${first} on, and not from ${this.position}`);
    this.stored.push(...blocks.map((block) => new Uint32Array(block)[0]!));
    this.batches.push(blocks.length);
    this.position = next;
    if (fails === "after") {
      this.fails = "never";
      throw new MarsadError("STORE_UNAVAILABLE", "unheard");
    }
    const tallies = [{ gateway: "gw-1", stored: blocks.length, merged: 0, duplicate: 0 }];
    return { position: next, tallies, refused: this.refusals };
  }
}

const numbers = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

describe("the writer", () => {
  test("a backlog of small blocks is written in pieces of 500 blocks", async () => {
    const pair = new Pair(100, 1, 1_000_000);
    pair.commit(2_000);
    const running = pair.writer.run();
    await poll(() => pair.trimmedTo === 2_000, { interval: 1 });
    expect(pair.batches).toEqual([500, 500, 500, 500]);
    expect(pair.stored).toEqual(numbers(2_000));
    pair.stop();
    await running;
  });

  test("gives the store every block once, in order, and trims behind it", async () => {
    const pair = new Pair();
    const running = pair.writer.run();
    for (let i = 0; i < 20; i += 1) {
      pair.commit(7);
      await turn();
    }
    await poll(() => pair.trimmedTo === 140, { interval: 1 });
    expect(pair.stored).toEqual(numbers(140));
    expect(pair.inFlight.readings).toBe(0);
    expect(pair.made.every(({ of }) => of === "batch")).toBe(true);
    pair.stop();
    await running;
  });

  test.each([5, 1])(
    "takes %i batches at once while many wait, as the store likes it, and whatever there is once it is old enough",
    async (atOnce) => {
      const pair = new Pair(100, 20, atOnce);
      pair.commit(400);
      const running = pair.writer.run();
      await poll(() => pair.position === 400, { interval: 1 });
      expect(Math.max(...pair.batches)).toBe(atOnce * 10);
      pair.commit(1);
      await poll(() => pair.position === 401, { interval: 1 });
      pair.stop();
      await running;
    },
  );

  test.each(["before", "after"] as const)(
    "a write that fails %s it takes place is made once, and tallies are counted anew",
    async (fails) => {
      const pair = new Pair();
      const running = pair.writer.run();
      pair.commit(3);
      await poll(() => pair.position === 3, { interval: 1 });
      pair.fails = fails;
      pair.commit(5);
      await poll(() => pair.trimmedTo === 8, { interval: 1 });
      expect(pair.stored).toEqual(numbers(8));
      expect(pair.made.at(-1)).toEqual({
        of: "all",
        tallies: [{ gateway: "gw-1", stored: 8, merged: 0, duplicate: 0 }],
        refused: [],
      });
      expect(pair.writer.failure).toBeUndefined();
      expect(pair.told).toEqual([false, true]);
      pair.commit(1);
      await poll(() => pair.trimmedTo === 9, { interval: 1 });
      expect(pair.made.at(-1)?.of).toBe("batch");
      pair.stop();
      await running;
    },
  );

  test("writes on only when what was refused is on the journal's disk, and only then lets the store forget it", async () => {
    const pair = new Pair();
    const running = pair.writer.run();
    pair.refusals = [
      { position: 2, gateway: "gw-1", agency: "water", detail: "no", readings: 1, lines: "a b=1 2" },
    ];
    pair.commit(3);
    await poll(() => pair.trimmedTo === 3, { interval: 1 });
    expect(pair.made.at(-1)?.refused).toEqual(pair.refusals);
    pair.refusals = [];
    pair.commit(1);
    await turn();
    expect([pair.position, pair.forgotten]).toEqual([3, []]);
    pair.refusalsKept.resolve(true);
    await poll(() => pair.trimmedTo === 4, { interval: 1 });
    expect(pair.forgotten).toEqual([3]);
    pair.stop();
    await running;
  });

  test("ends when asked to, also while refusals wait for the disk; the store keeps them", async () => {
    const pair = new Pair();
    const running = pair.writer.run();
    pair.refusals = [
      { position: 0, gateway: "gw-1", agency: "water", detail: "no", readings: 1, lines: "a b=1 2" },
    ];
    pair.commit(1);
    await poll(() => pair.trimmedTo === 1, { interval: 1 });
    pair.stop();
    await running;
    expect(pair.forgotten).toEqual([]);
  });

  test("says why nothing is stored, and ends at once when asked to", async () => {
    const pair = new Pair();
    const running = pair.writer.run();
    pair.fails = "for ever";
    pair.commit(1);
    await poll(() => pair.writer.failure, { interval: 1 });
    expect(pair.writer.failure).toBe("no");
    expect(pair.inFlight.readings).toBe(readingsPerBlock);
    pair.stop();
    await running;
    expect(pair.trimmedTo).toBe(0);
  });

  test("does not go on over a gap: a store that lost blocks, a journal that has not the next", async () => {
    const lost = new Pair();
    const running = lost.writer.run();
    lost.commit(3);
    await poll(() => lost.trimmedTo === 3, { interval: 1 });
    lost.position = 1;
    lost.fails = "before";
    lost.commit(1);
    await expect(running).rejects.toMatchObject({
      code: "STORE_FORMAT",
      message: expect.stringContaining("lost"),
    });

    const gap = new Pair();
    gap.trimmedTo = 2;
    gap.commit(3);
    await expect(gap.writer.run()).rejects.toMatchObject({ code: "QUEUE_CORRUPT" });
  });
});
