import { setTimeout as sleep } from "node:timers/promises";
import pRetry, { AbortError } from "p-retry";
import { MarsadError } from "#runtime/errors.ts";
import { type Log, oncePer } from "#runtime/log.ts";
import type { GatewayTally, Store, StoreRefusal } from "#store/port.ts";
import type { InFlight } from "./in-flight.ts";
import type { Journal } from "./journal/journal.ts";
import type { JournalRange } from "./journal/messages.ts";

/** Blocks of a write, about, beyond its first batch: decoded, each takes 30 kB of memory for a moment, however few readings are in it. */
const mostBlocks = 500;
/** Milliseconds: a store that is back, and a disk with room again, is noticed in less than two seconds, however long it was away. */
const longestRetryWait = 1_000;
/** About what a reading takes in a block. */
const bytesPerReading = 44;

export interface WriterOptions {
  readonly journal: Pick<Journal, "uuid" | "read" | "storeTakes" | "trim">;
  readonly store: Pick<
    Store,
    "batchesAtOnce" | "write" | "position" | "tallies" | "refusals" | "forgetRefusals"
  >;
  readonly inFlight: InFlight;
  readonly batchReadings: number;
  /** Milliseconds. */
  readonly batchMaxAge: number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** After each batch, in the same turn as `inFlight` forgets it. */
  readonly onStored: (made: Made) => void;
  /** Resolves with true when what `onStored` was told to be refused is on the journal's disk, with false when that is lost. */
  readonly refusalsKept: () => Promise<boolean>;
  /** Refusals from before the start are being taken. */
  readonly refusalsPending?: boolean;
}

/** What the store made of readings: of this batch, or, after a write that failed at first, of all there ever were. */
export interface Made {
  readonly of: "batch" | "all";
  readonly tallies: readonly GatewayTally[];
  /** Of this batch, or all that the store still keeps. */
  readonly refused: readonly StoreRefusal[];
}

/**
 * Takes committed blocks from the journal and gives them to the store, in order, until the signal; a store that fails is tried
 * again for ever, with back-off, from the position it then says. What it has stored, the journal may trim; what it refused, it may forget
 * once the journal has it among the dead letters.
 */
export class StoreWriter {
  readonly #options: WriterOptions;
  readonly #sometimes = oncePer();
  /** Blocks before this position are on the journal's disk. */
  #committed: number;
  #stored: number;
  #oldestPendingAt = performance.now();
  #wake: (() => void) | undefined;
  #failure: string | undefined;
  #held: PromiseWithResolvers<void> | undefined;

  /** @param committed  Where the journal ends. What is in flight begins where the store ends. */
  constructor(options: WriterOptions, committed: number) {
    this.#options = options;
    this.#stored = options.inFlight.first;
    this.#committed = committed;
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

  /**
   * Until `releaseRefusals`, `onStored` is told of no refusal, and nothing is written after one: a copy of the journal made meanwhile has no
   * dead letter of a block that a copy of the store, made before it, lacks.
   */
  holdRefusals(): void {
    this.#held ??= Promise.withResolvers();
  }

  releaseRefusals(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** @throws MarsadError when journal and store cannot belong together any more */
  async run(): Promise<void> {
    const { signal, journal, inFlight, onStored } = this.#options;
    let ahead: Promise<JournalRange> | undefined;
    if (this.#options.refusalsPending) await this.#handOverRefusals();
    for (;;) {
      await this.#untilDue();
      if (signal.aborted) return;
      const range = await (ahead ?? this.#read(this.#stored));
      // While the store writes, the next batch can be read if it is full already.
      ahead = this.#hasBacklog(range) ? this.#read(range.next) : undefined;
      ahead?.catch(() => undefined); // awaited in the next round, or given up
      const written = await this.#writeUntilKept(range);
      if (!written) return;
      if (written.made.refused.length > 0 && !(await this.#released())) return; // the next start finds them in the store
      if (written.position !== range.next) ahead = undefined;
      this.#stored = written.position;
      this.#oldestPendingAt = performance.now();
      inFlight.storedTo(written.position);
      onStored(written.made);
      // Nothing waits for the room; a thread that is lost is noticed by the next read.
      journal.trim(written.position).catch(() => undefined);
      if (written.made.refused.length > 0) await this.#handOverRefusals();
    }
  }

  /** Nothing more is written meanwhile: refusals cannot pile up. */
  async #handOverRefusals(): Promise<void> {
    const { journal, log, refusalsKept, store } = this.#options;
    const kept = await this.#orAborted(refusalsKept());
    if (kept !== true) return; // the next start finds them in the store
    await store.forgetRefusals(journal.uuid, this.#stored).catch((error: unknown) => {
      log.warn({ err: error }, "The store goes on keeping refusals that are dead letters already.");
    });
  }

  #hasBacklog({ next }: JournalRange): boolean {
    return this.#committed > next && this.#options.inFlight.readings > 2 * this.#fullWrite;
  }

  /** Readings of a write for which nobody need wait any longer: what every write costs is then shared by the most. */
  get #fullWrite(): number {
    const { batchReadings, store } = this.#options;
    return store.batchesAtOnce * batchReadings;
  }

  /** A backlog of small blocks goes in smaller writes. */
  get #toRead(): number {
    const { batchReadings, inFlight } = this.#options;
    const perBlock = inFlight.readings / Math.max(1, inFlight.next - inFlight.first);
    return Math.max(batchReadings, Math.min(this.#fullWrite, Math.ceil(mostBlocks * perBlock)));
  }

  async #read(from: number, readings = this.#toRead): Promise<JournalRange> {
    const range = await this.#options.journal.read(from, readings * bytesPerReading);
    const isMissing = range.blocks.length === 0 && from < this.#committed;
    if (range.first === from && !isMissing) return range;
    throw new MarsadError("QUEUE_CORRUPT", `the journal has no block ${from}, and the store has none either`);
  }

  /** @returns undefined when the signal came first. */
  async #writeUntilKept(range: JournalRange): Promise<Written | undefined> {
    const { journal, log, signal } = this.#options;
    let offered: JournalRange | undefined = range;
    const attempt = async (): Promise<Written> => {
      const batch = offered ?? (await this.#readAgain());
      offered = undefined; // its buffers are given away
      return await this.#write(batch);
    };
    try {
      const kept = pRetry(attempt, {
        retries: Infinity,
        minTimeout: 100,
        maxTimeout: longestRetryWait,
        randomize: true,
        signal,
        onFailedAttempt: ({ error }) => {
          if (signal.aborted) return;
          this.#failure = error.message;
          journal.storeTakes(false);
          const held = this.#sometimes("store");
          if (held !== undefined) log.error({ err: error, held }, "The store refused a batch; trying again.");
        },
      });
      // A write under way at the end is the store's to finish or to give up: the next start asks it how far it came.
      kept.catch(() => undefined);
      return await this.#orAborted(kept);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  /** @returns false when the signal comes first. */
  async #released(): Promise<boolean> {
    if (this.#held === undefined) return true;
    await this.#orAborted(this.#held.promise);
    return !this.#options.signal.aborted;
  }

  /** @returns undefined when the signal comes first. */
  async #orAborted<T>(work: Promise<T>): Promise<T | undefined> {
    const { signal } = this.#options;
    const aborted = Promise.withResolvers<undefined>();
    const abort = (): void => aborted.resolve(undefined);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    try {
      return await Promise.race([work, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** After a failure: only the store knows how far it came. */
  async #readAgain(): Promise<JournalRange> {
    const { journal, store } = this.#options;
    const position = await store.position(journal.uuid);
    if (position < this.#stored) {
      const message = `the store had blocks up to ${this.#stored} and now says ${position}: it lost what it had kept`;
      throw new AbortError(new MarsadError("STORE_FORMAT", message));
    }
    return await this.#read(position, this.#options.batchReadings);
  }

  async #write({ first, next, blocks }: JournalRange): Promise<Written> {
    const { journal, log, store } = this.#options;
    const outcome =
      blocks.length > 0
        ? await store.write({ journal: journal.uuid, first, next, blocks })
        : { position: next, tallies: [], refused: [] };
    const { position, tallies, refused } = outcome;
    if (this.#failure === undefined) return { position, made: { of: "batch", tallies, refused } };
    // A write that failed may have taken place all the same, unheard.
    const made: Made = {
      of: "all",
      tallies: await store.tallies(),
      refused: await store.refusals(journal.uuid),
    };
    this.#failure = undefined;
    journal.storeTakes(true);
    log.info({ position }, "The store takes readings again.");
    return { position, made };
  }

  /** Until a write is full or its oldest block has waited long enough. */
  async #untilDue(): Promise<void> {
    const { signal, inFlight, batchMaxAge } = this.#options;
    while (!signal.aborted) {
      const pending = this.#committed > this.#stored;
      if (pending && inFlight.readings >= this.#toRead) return;
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
    else
      await Promise.race([
        woken,
        sleep(milliseconds, undefined, { signal: cancel.signal }).catch(() => undefined),
      ]);
    this.#wake = undefined;
    cancel.abort();
  }
}

interface Written {
  readonly position: number;
  readonly made: Made;
}
