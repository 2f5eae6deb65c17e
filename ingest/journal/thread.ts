import pRetry from "p-retry";
import { openDurableQueue } from "#runtime/durable-queue.ts";
import { MarsadError, hasCode } from "#runtime/errors.ts";
import { release } from "#runtime/release.ts";
import { serveWorker, transferred } from "#runtime/worker.ts";
import { buffersOf, type SeriesContent } from "#telemetry/series-table.ts";
import type { DeadLetterBounds } from "./dead-letter-table.ts";
import type { DeadLetterFilter, StoredDeadLetter } from "./journal.ts";
import { JournalFile, journalTables } from "./journal-file.ts";
import type { JournalGroup, JournalRange, JournalSnapshot, JournalStatus, WaitingEntry } from "./messages.ts";

export interface JournalThreadInit {
  readonly path: string;
  readonly liveBytes: number;
  readonly fileBytes: number;
  readonly deadLetters: DeadLetterBounds;
}

/** A snapshot as it crosses threads. */
export type SentSnapshot = Omit<JournalSnapshot, "series"> & { readonly series: SeriesContent };

/** What the journal thread answers; `Journal` says what each means. */
export interface JournalMethods {
  snapshot(): { uuid: string; snapshot: SentSnapshot };
  commit(group: JournalGroup): number;
  read(range: { from: number; maxBytes: number }): JournalRange;
  trim(before: number): void;
  waiting(query: { gateway: string; after: string | undefined; maxBytes: number }): WaitingEntry[];
  oldestWaiting(gateways: readonly string[]): number | undefined;
  deadLetters(filter: DeadLetterFilter): StoredDeadLetter[];
  status(): JournalStatus;
  hold(): void;
  letGo(): void;
  /** Commits that do not go through are not tried any more. */
  giveUp(): void;
}

/** Milliseconds: trims gathered into one commit; a refused commit tried again; old dead letters looked for. */
const trimInterval = 200;
const retryWait = 100;
const longestRetryWait = 1_000;
const firstExpiry = 10_000;
const expiryInterval = 3_600_000;

/** The file and what goes on around it in time: commits one after another, tried again until kept; trims; expiry. */
class JournalThread {
  readonly #file: JournalFile;
  readonly #closed = new AbortController();
  #trimTimer: NodeJS.Timeout | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  /**
   * Commits are one after another, also while one is being tried again; behind one that failed none goes in: its counts and numbers include those of the one before, which a gateway
   * would send again in vain.
   */
  #last: Promise<unknown> = Promise.resolve();
  #blocked: JournalStatus["blocked"];

  constructor(file: JournalFile) {
    this.#file = file;
  }

  start(): void {
    this.#trimTimer = setInterval(() => this.#trimIfWritable(), trimInterval);
    this.#expiryTimer = setTimeout(() => this.#expire(), firstExpiry);
  }

  async commit(group: JournalGroup): Promise<number> {
    const committed = this.#last.then(() => this.#commitUntilKept(group));
    this.#last = committed;
    return await committed;
  }

  status(): JournalStatus {
    return { ...this.#file.status(), blocked: this.#blocked };
  }

  giveUp(): void {
    this.#closed.abort(
      new MarsadError("QUEUE_UNWRITABLE", "the journal was closed before the disk took the commit"),
    );
  }

  close(): void {
    clearInterval(this.#trimTimer);
    clearTimeout(this.#expiryTimer);
    this.#trimIfWritable();
    this.#file[Symbol.dispose]();
  }

  async #commitUntilKept(group: JournalGroup): Promise<number> {
    try {
      return this.#file.commit(group);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#refused(error);
    }
    const next = await pRetry(() => this.#file.commit(group), {
      retries: Infinity,
      minTimeout: retryWait,
      maxTimeout: longestRetryWait,
      signal: this.#closed.signal,
      shouldRetry: ({ error }) => isRefusal(error),
      onFailedAttempt: ({ error }) => this.#refused(error),
    });
    this.#blocked = undefined;
    return next;
  }

  #refused(error: unknown): void {
    if (!isRefusal(error)) return;
    this.#blocked = { code: error.code, message: error.message };
    this.#trimIfWritable();
  }

  /** Old bytes go, also those of a gateway that sends nothing wrong any more. */
  #expire(): void {
    let more = false;
    try {
      more = this.#file.expireDeadLetters(Date.now());
    } catch (error) {
      if (!isRefusal(error)) throw error; // else an hour later
    }
    this.#expiryTimer = setTimeout(() => this.#expire(), more ? trimInterval : expiryInterval);
  }

  #trimIfWritable(): void {
    try {
      this.#file.trimNow();
    } catch (error) {
      if (!isRefusal(error)) throw error; // else again in a moment
    }
  }
}

/** The disk or the bound says no, at present. */
function isRefusal(error: unknown): error is MarsadError {
  return hasCode(error, "QUEUE_FULL") || hasCode(error, "QUEUE_UNWRITABLE");
}

await serveWorker<JournalMethods, JournalThreadInit>(({ path, liveBytes, fileBytes, deadLetters }) => {
  const bounds = { maxLiveBytes: liveBytes, maxFileBytes: fileBytes };
  const file = new JournalFile(openDurableQueue({ path, ...bounds, tables: journalTables }), deadLetters);
  const thread = new JournalThread(file);
  thread.start();
  return {
    methods: {
      snapshot: () => {
        const { series, ...rest } = file.snapshot();
        const snapshot = { ...rest, series: series.copy() };
        return transferred({ uuid: file.uuid, snapshot }, buffersOf(snapshot.series));
      },
      commit: async (group) => {
        const next = await thread.commit(group);
        if (group.block) release(group.block);
        return next;
      },
      read: (range) => {
        const answer = file.read(range);
        return transferred(answer, answer.blocks);
      },
      trim: (before) => file.trim(before),
      waiting: (query) => file.waiting(query),
      oldestWaiting: (gateways) => file.oldestWaiting(gateways),
      deadLetters: async (filter) => await file.deadLetters(filter),
      status: () => thread.status(),
      hold: () => file.hold(),
      letGo: () => file.letGo(),
      giveUp: () => thread.giveUp(),
    },
    close: () => thread.close(),
  };
});
