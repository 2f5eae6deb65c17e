import pRetry from "p-retry";
import { type DurableQueue, type QueueTransaction, jsonCodec, openDurableQueue } from "#runtime/durable-queue.ts";
import { hasCode } from "#runtime/errors.ts";
import { serveWorker, transferred } from "#runtime/worker.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import {
  addDeadLetter,
  type DeadLetterBounds,
  type DeadLetterTotal,
  findDeadLetters,
  makeRoom,
  removeDeadLetter,
} from "./dead-letter-table.ts";
import type { DeadLetterFilter, StoredDeadLetter } from "./journal.ts";
import type {
  JournalGroup,
  JournalRange,
  JournalSnapshot,
  JournalStatus,
  LedgerRecord,
  OutboxRecord,
  WaitingEntry,
} from "./messages.ts";
import { parseKey, type PayloadTables, type PayloadWriters, tableKey } from "./payload-table.ts";
import { addWaiting, waitingBehind } from "./waiting-table.ts";

export interface JournalThreadInit {
  readonly path: string;
  readonly liveBytes: number;
  readonly fileBytes: number;
  readonly deadLetters: DeadLetterBounds;
}

/** What the journal thread answers; `Journal` says what each means. */
export interface JournalMethods {
  snapshot(): JournalSnapshot;
  commit(group: JournalGroup): number;
  read(range: { from: number; maxBytes: number }): JournalRange;
  trim(before: number): void;
  waiting(query: { gateway: string; after: string | undefined; maxBytes: number }): WaitingEntry[];
  deadLetters(filter: DeadLetterFilter): StoredDeadLetter[];
  status(): JournalStatus;
}

const tables = [
  "series",
  "ledgers",
  "outboxes",
  "waiting",
  "waiting-bytes",
  "dead-letters",
  "dead-letter-bytes",
  "dead-letter-totals",
  "counters",
] as const;

/** Milliseconds: trims gathered into one commit; a refused commit tried again; old dead letters looked for. */
const trimInterval = 200;
const retryWait = 100;
const longestRetryWait = 1_000;
const expiryInterval = 3_600_000;

class JournalThread {
  readonly #queue: DurableQueue;
  readonly #bounds: DeadLetterBounds;
  readonly #totals: Map<string, DeadLetterTotal>;
  readonly #timers: NodeJS.Timeout[];
  /** Commits are one after another, also while one is being tried again. */
  #last: Promise<unknown> = Promise.resolve();
  #trimTo = 0;
  #blocked: JournalStatus["blocked"];
  #commitMs = 0;

  constructor(queue: DurableQueue, bounds: DeadLetterBounds) {
    this.#queue = queue;
    this.#bounds = bounds;
    this.#totals = new Map(
      queue
        .table("dead-letter-totals", jsonCodec)
        .range()
        .map(({ key, value }) => [key as string, value as DeadLetterTotal]),
    );
    this.#timers = [
      setInterval(() => this.#trimNow(), trimInterval),
      setInterval(() => this.#expire(), expiryInterval),
    ];
  }

  snapshot(): JournalSnapshot {
    const all = <Value>(name: string): Value[] =>
      this.#queue
        .table(name, jsonCodec)
        .range()
        .map(({ value }) => value as Value);
    const { uuid, first, next } = this.#queue;
    const series = all<SeriesEntry>("series");
    return { uuid, first, next, series, ledgers: all<LedgerRecord>("ledgers"), outboxes: all<OutboxRecord>("outboxes") };
  }

  async commit(group: JournalGroup): Promise<number> {
    const committed = this.#last.then(async () => await this.#commitUntilKept(group));
    this.#last = committed.catch(() => undefined);
    return await committed;
  }

  read({ from, maxBytes }: { from: number; maxBytes: number }): JournalRange {
    const records = this.#queue.read(Math.max(from, this.#queue.first), maxBytes);
    const first = records[0]?.position ?? from;
    return { first, next: first + records.length, blocks: records.map(({ record }) => record.buffer) };
  }

  trim(before: number): void {
    this.#trimTo = Math.max(this.#trimTo, before);
  }

  waiting(query: { gateway: string; after: string | undefined; maxBytes: number }): WaitingEntry[] {
    return waitingBehind(this.#payloads("waiting", "waiting-bytes"), query);
  }

  deadLetters(filter: DeadLetterFilter): StoredDeadLetter[] {
    const gateways = Array.from(this.#totals.keys()).sort();
    return findDeadLetters(this.#payloads("dead-letters", "dead-letter-bytes"), gateways, filter);
  }

  status(): JournalStatus {
    const { first, next, liveBytes, fileBytes } = this.#queue;
    let deadLetterBytes = 0;
    for (const { bytes } of this.#totals.values()) deadLetterBytes += bytes;
    return { first, next, liveBytes, fileBytes, deadLetterBytes, blocked: this.#blocked, commitMs: this.#commitMs };
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#trimNow();
    this.#queue[Symbol.dispose]();
  }

  async #commitUntilKept(group: JournalGroup): Promise<number> {
    const next = await pRetry(() => this.#commitOnce(group), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: retryWait,
      maxTimeout: longestRetryWait,
      shouldRetry: ({ error }) => hasCode(error, "QUEUE_FULL") || hasCode(error, "QUEUE_UNWRITABLE"),
      onFailedAttempt: ({ error }) => {
        this.#blocked = { code: (error as { code?: string }).code ?? "", message: error.message };
        this.#trimNow();
      },
    });
    this.#blocked = undefined;
    return next;
  }

  #commitOnce(group: JournalGroup): number {
    const before = this.#queue.next;
    const started = performance.now();
    const totals = new Map<string, DeadLetterTotal>();
    try {
      this.#queue.commit((transaction) => this.#write(transaction, group, totals));
    } catch (error) {
      // A disk that fails at the last step may have kept it all the same: once is enough.
      if (!group.block || this.#queue.next === before) throw error;
    }
    for (const [gateway, total] of totals) this.#totals.set(gateway, total);
    this.#commitMs = performance.now() - started;
    return this.#queue.next;
  }

  #write(transaction: QueueTransaction, group: JournalGroup, totals: Map<string, DeadLetterTotal>): void {
    if (group.block) transaction.append(new Uint8Array(group.block));
    const json = (name: (typeof tables)[number]) => transaction.table(name, jsonCodec);
    if (group.series.length > 0) {
      const series = json("series");
      for (const entry of group.series) series.put(entry.series, entry);
    }
    const ledgers = json("ledgers");
    for (const ledger of group.ledgers) ledgers.put(ledger.gateway, ledger);
    const outboxes = json("outboxes");
    for (const outbox of group.outboxes) outboxes.put([outbox.gateway, outbox.outbox], outbox);
    this.#writeWaiting(transaction, group);
    this.#writeDeadLetters(transaction, group, totals);
  }

  #writeWaiting(transaction: QueueTransaction, group: JournalGroup): void {
    if (group.waiting.length === 0 && group.waitingDone.length === 0) return;
    const payloads = writers(transaction, "waiting", "waiting-bytes");
    for (const id of group.waitingDone) {
      const key = parseKey(id);
      if (!key) continue;
      payloads.facts.remove(tableKey(key));
      payloads.bytes.remove(tableKey(key));
    }
    let number = nextNumber(transaction, "waiting", group.waiting.length);
    for (const payload of group.waiting) addWaiting(payloads, number++, payload);
  }

  #writeDeadLetters(
    transaction: QueueTransaction,
    group: JournalGroup,
    changed: Map<string, DeadLetterTotal>,
  ): void {
    if (group.deadLetters.length === 0 && group.deadLettersDone.length === 0) return;
    const payloads = writers(transaction, "dead-letters", "dead-letter-bytes");
    const totalOf = (gateway: string): DeadLetterTotal =>
      changed.get(gateway) ?? this.#totals.get(gateway) ?? { bytes: 0, letters: 0 };
    for (const id of group.deadLettersDone) {
      const gateway = parseKey(id)?.gateway;
      if (gateway !== undefined) changed.set(gateway, removeDeadLetter(payloads, totalOf(gateway), id));
    }
    let number = nextNumber(transaction, "dead-letters", group.deadLetters.length);
    for (const refused of group.deadLetters) {
      const total = totalOf(refused.gateway);
      changed.set(refused.gateway, addDeadLetter(payloads, total, number++, refused, this.#bounds));
    }
    writeTotals(transaction, changed);
  }

  /** Old bytes go, also those of a gateway that sends nothing wrong any more. */
  #expire(): void {
    const changed = new Map<string, DeadLetterTotal>();
    try {
      this.#queue.commit((transaction) => {
        const payloads = writers(transaction, "dead-letters", "dead-letter-bytes");
        for (const [gateway, total] of this.#totals) {
          const left = makeRoom(payloads, gateway, total, Date.now(), this.#bounds);
          if (left.bytes !== total.bytes) changed.set(gateway, left);
        }
        writeTotals(transaction, changed);
      });
    } catch (error) {
      if (hasCode(error, "QUEUE_FULL") || hasCode(error, "QUEUE_UNWRITABLE")) return; // an hour later, then
      throw error;
    }
    for (const [gateway, total] of changed) this.#totals.set(gateway, total);
  }

  #trimNow(): void {
    if (this.#trimTo <= this.#queue.first) return;
    try {
      this.#queue.trim(this.#trimTo);
    } catch (error) {
      if (!hasCode(error, "QUEUE_UNWRITABLE")) throw error; // else again in a moment
    }
  }

  #payloads(facts: string, bytes: string): PayloadTables {
    return { facts: this.#queue.table(facts, jsonCodec), bytes: this.#queue.table(bytes) };
  }
}

function writers(transaction: QueueTransaction, facts: string, bytes: string): PayloadWriters {
  return { facts: transaction.table(facts, jsonCodec), bytes: transaction.table(bytes) };
}

/** Takes `count` numbers that were never given. */
function nextNumber(transaction: QueueTransaction, counter: string, count: number): number {
  const counters = transaction.table("counters", jsonCodec);
  const next = (counters.get(counter) as number | undefined) ?? 0;
  if (count > 0) counters.put(counter, next + count);
  return next;
}

function writeTotals(transaction: QueueTransaction, totals: ReadonlyMap<string, DeadLetterTotal>): void {
  const table = transaction.table("dead-letter-totals", jsonCodec);
  for (const [gateway, total] of totals) table.put(gateway, total);
}

await serveWorker<JournalMethods, JournalThreadInit>(({ path, liveBytes, fileBytes, deadLetters }) => {
  const queue = openDurableQueue({ path, maxLiveBytes: liveBytes, maxFileBytes: fileBytes, tables });
  const thread = new JournalThread(queue, deadLetters);
  return {
    methods: {
      snapshot: () => thread.snapshot(),
      commit: async (group) => await thread.commit(group),
      read: (range) => {
        const answer = thread.read(range);
        return transferred(answer, answer.blocks);
      },
      trim: (before) => thread.trim(before),
      waiting: (query) => thread.waiting(query),
      deadLetters: (filter) => thread.deadLetters(filter),
      status: () => thread.status(),
    },
    close: async () => await thread.close(),
  };
});
