import { setTimeout as sleep } from "node:timers/promises";
import pRetry from "p-retry";
import type { Log } from "#runtime/log.ts";
import type { Store, StoreOutcome } from "#store/port.ts";
import type { InFlight } from "./in-flight.ts";
import type { Journal } from "./journal/journal.ts";
import type { JournalRange } from "./journal/messages.ts";

/** About what a reading takes in a block. */
const bytesPerReading = 44;

export interface WriterOptions {
  readonly journal: Journal;
  readonly store: Store;
  readonly inFlight: InFlight;
  readonly batchReadings: number;
  /** Milliseconds. */
  readonly batchMaxAge: number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** After each batch, with what the store made of it. */
  readonly onStored: (outcome: StoreOutcome) => void;
  /** Instead of `onStored` after a write that failed at first: outcomes may have been missed, count anew. */
  readonly onRecovered: () => Promise<void>;
}

/**
 * Takes committed blocks from the journal and gives them to the store, in order, until the signal; a store that fails is tried
 * again for ever, with back-off, from the position it then says. What it has stored, the journal may trim.
 */
export class StoreWriter {
  readonly #options: WriterOptions;
  /** Blocks before this position are on the journal's disk. */
  #committed: number;
  #stored: number;
  #oldestPendingAt = 0;
  #wake: (() => void) | undefined;
  #failure: string | undefined;

  constructor(options: WriterOptions, stored: number) {
    this.#options = options;
    this.#stored = stored;
    this.#committed = options.journal.snapshot.next;
  }

  /** Why the store does not take anything at present, if so. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Blocks before `next` are committed. */
  committedTo(next: number): void {
    if (next <= this.#committed) return;
    if (this.#stored === this.#committed) this.#oldestPendingAt = performance.now();
    this.#committed = next;
    this.#wake?.();
  }

  async run(): Promise<void> {
    const { signal, journal, inFlight, batchReadings } = this.#options;
    const maxBytes = batchReadings * bytesPerReading;
    let ahead: Promise<JournalRange> | undefined;
    while (!signal.aborted) {
      await this.#untilDue();
      if (signal.aborted) break;
      const range = await (ahead ?? journal.read(this.#stored, maxBytes));
      ahead = undefined;
      const backlog = inFlight.readings > 2 * batchReadings && this.#committed > range.next;
      if (backlog) ahead = journal.read(range.next, maxBytes);
      ahead?.catch(() => undefined); // awaited above, or given up below
      const outcome = await this.#write(range, maxBytes);
      if (!outcome) break;
      if (outcome.position !== range.next) ahead = undefined;
      this.#stored = outcome.position;
      this.#oldestPendingAt = performance.now();
      inFlight.storedTo(outcome.position);
      if (this.#failure === undefined) this.#options.onStored(outcome);
      else await this.#recovered(outcome);
      await journal.trim(outcome.position);
    }
  }

  async #write(range: JournalRange, maxBytes: number): Promise<StoreOutcome | undefined> {
    const { store, journal, log, signal } = this.#options;
    const uuid = journal.snapshot.uuid;
    let current: JournalRange | undefined = range;
    try {
      const outcome = await pRetry(
        async () => {
          current ??= await journal.read(await store.position(uuid), maxBytes);
          const batch: JournalRange = current;
          current = undefined; // its buffers are given away
          if (batch.blocks.length === 0) return { position: batch.next, tallies: [] };
          return await store.write({ journal: uuid, first: batch.first, next: batch.next, blocks: batch.blocks });
        },
        {
          retries: Number.POSITIVE_INFINITY,
          minTimeout: 100,
          maxTimeout: 5_000,
          randomize: true,
          signal,
          onFailedAttempt: ({ error, attemptNumber }) => {
            this.#failure = error.message;
            if (attemptNumber === 1) log.error({ err: error }, "The store refused a batch; trying again.");
          },
        },
      );
      return outcome;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  async #recovered(outcome: StoreOutcome): Promise<void> {
    this.#failure = undefined;
    this.#options.log.info({ position: outcome.position }, "The store takes readings again.");
    await this.#options.onRecovered();
  }

  /** Until a batch is full or its oldest block has waited long enough. */
  async #untilDue(): Promise<void> {
    const { signal, inFlight, batchReadings, batchMaxAge } = this.#options;
    while (!signal.aborted) {
      const pending = this.#committed > this.#stored;
      if (pending && inFlight.readings >= batchReadings) return;
      const wait = pending ? this.#oldestPendingAt + batchMaxAge - performance.now() : undefined;
      if (wait !== undefined && wait <= 0) return;
      await this.#sleep(wait);
    }
  }

  /** Sleeps until woken by a commit or an abort, or for `milliseconds`. */
  async #sleep(milliseconds: number | undefined): Promise<void> {
    const { signal } = this.#options;
    const cancel = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true, signal: cancel.signal });
    });
    if (milliseconds === undefined) await woken;
    else await Promise.race([woken, sleep(milliseconds, undefined, { signal: cancel.signal }).catch(() => undefined)]);
    this.#wake = undefined;
    cancel.abort();
  }
}
