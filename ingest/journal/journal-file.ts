import { type DurableQueue, type QueueTransaction, jsonCodec } from "#runtime/durable-queue.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { GatewayTally } from "#store/port.ts";
import { SeriesTable } from "#telemetry/series-table.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import { type DeadLetterBounds, DeadLetterTable, deadLetterTables } from "./dead-letter-table.ts";
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
import { countersTable } from "./payload-table.ts";
import { WaitingTable, waitingTables } from "./waiting-table.ts";

const ownTables = ["series", "store-base", "ledgers", "outboxes", countersTable] as const;
/** What the queue must be opened with. */
export const journalTables = [...ownTables, ...waitingTables, ...deadLetterTables] as const;
const seriesPage = 10_000;
const groupsCounter = "groups";
const refusalsCounter = "refusals-taken";
const storeBaseKey = "tallies";

/** The journal's file, used synchronously: blocks, and beside them all that must become durable with them. */
export class JournalFile implements Disposable {
  readonly #queue: DurableQueue;
  readonly #deadLetters: DeadLetterTable;
  readonly #waiting: WaitingTable;
  /** Groups committed since the file was made, and the position the next block gets. */
  #groups: number;
  #next: number;
  /** A commit failed, and nobody has looked whether it took place. */
  #uncertain = false;
  #trimTo = 0;
  #held = false;

  /** @param queue  With `journalTables`; closed with this. */
  constructor(queue: DurableQueue, deadLetters: DeadLetterBounds) {
    this.#queue = queue;
    this.#deadLetters = new DeadLetterTable(this.#queue, deadLetters);
    this.#waiting = new WaitingTable(this.#queue);
    this.#groups = this.#count(groupsCounter);
    this.#next = this.#queue.next;
  }

  get uuid(): string {
    return this.#queue.uuid;
  }

  snapshot(): JournalSnapshot {
    const all = <Value>(name: (typeof ownTables)[number]): Value[] =>
      this.#queue
        .table(name, jsonCodec)
        .range()
        .map(({ value }) => value as Value);
    const { first, next } = this.#queue;
    return {
      first,
      next,
      series: this.#series(),
      storeBase: all<GatewayTally[]>("store-base")[0],
      ledgers: all<LedgerRecord>("ledgers"),
      outboxes: all<OutboxRecord>("outboxes"),
      refusalsTaken: this.#count(refusalsCounter),
    };
  }

  /**
   * One transaction. After an error the same group must be offered again until it is taken: a disk that fails at the last step may
   * have kept it all the same, which the next attempt finds out.
   * @returns the position the next block gets.
   * @throws MarsadError QUEUE_FULL, QUEUE_UNWRITABLE; QUEUE_CORRUPT: it must be opened anew
   */
  commit(group: JournalGroup): number {
    const number = this.#groups + 1;
    const next = this.#next + (group.block ? 1 : 0);
    if (this.#uncertain && this.#count(groupsCounter) === number) {
      this.#deadLetters.reload();
    } else {
      this.#uncertain = true;
      this.#queue.commit((transaction) => this.#write(transaction, group, number))();
    }
    if (this.#queue.next !== next) {
      throw new MarsadError("QUEUE_CORRUPT", `the journal ends at ${this.#queue.next} and should at ${next}`);
    }
    this.#uncertain = false;
    this.#groups = number;
    this.#next = next;
    return next;
  }

  read({ from, maxBytes }: { from: number; maxBytes: number }): JournalRange {
    const records = this.#queue.read(from, maxBytes);
    const first = records[0]?.position ?? from;
    return { first, next: first + records.length, blocks: records.map(({ record }) => record.buffer) };
  }

  /** Remembers to trim; `trimNow` does it. */
  trim(before: number): void {
    this.#trimTo = Math.max(this.#trimTo, before);
  }

  /** From now on nothing is trimmed until `letGo`. */
  hold(): void {
    this.#held = true;
  }

  letGo(): void {
    this.#held = false;
    this.#queue.forgetDeadReaders();
  }

  /** @throws MarsadError QUEUE_UNWRITABLE */
  trimNow(): void {
    if (!this.#held && this.#trimTo > this.#queue.first) this.#queue.trim(this.#trimTo);
  }

  waiting(query: { gateway: string; after: string | undefined; maxBytes: number }): WaitingEntry[] {
    return this.#waiting.behind(query);
  }

  oldestWaiting(gateways: readonly string[]): number | undefined {
    return this.#waiting.oldest(gateways);
  }

  async deadLetters(filter: DeadLetterFilter): Promise<StoredDeadLetter[]> {
    return await this.#deadLetters.find(filter);
  }

  /** @returns whether there are more to expire. @throws MarsadError QUEUE_UNWRITABLE */
  expireDeadLetters(now: number): boolean {
    return this.#deadLetters.expire(now);
  }

  status(): Omit<JournalStatus, "blocked"> {
    const { first, next, liveBytes, fileBytes } = this.#queue;
    return {
      first,
      next,
      liveBytes,
      fileBytes,
      deadLetterBytes: this.#deadLetters.bytes,
      nextDeadLetter: this.#count(deadLetterTables[0]),
    };
  }

  [Symbol.dispose](): void {
    this.#queue[Symbol.dispose]();
  }

  #write(transaction: QueueTransaction, group: JournalGroup, number: number): () => void {
    if (group.block) transaction.append(new Uint8Array(group.block));
    const json = (name: (typeof ownTables)[number]) => transaction.table(name, jsonCodec);
    json(countersTable).put(groupsCounter, number);
    if (group.refusalsTaken !== undefined) json(countersTable).put(refusalsCounter, group.refusalsTaken);
    const series = json("series");
    for (const entry of group.series) series.put(entry.series, entry);
    if (group.storeBase) json("store-base").put(storeBaseKey, group.storeBase);
    const ledgers = json("ledgers");
    for (const ledger of group.ledgers) ledgers.put(ledger.gateway, ledger);
    const outboxes = json("outboxes");
    for (const { gateway, outbox } of group.outboxesForgotten) outboxes.remove([gateway, outbox]);
    for (const outbox of group.outboxes) outboxes.put([outbox.gateway, outbox.outbox], outbox);
    if (group.waiting.length + group.waitingDone.length > 0) {
      this.#waiting.write(transaction, group.waiting, group.waitingDone);
    }
    if (group.deadLetters.length + group.deadLettersDone.length === 0) return () => undefined;
    return this.#deadLetters.write(transaction, group.deadLetters, group.deadLettersDone);
  }

  /** There can be a million: never all of them as objects. */
  #series(): SeriesTable {
    const table = this.#queue.table("series", jsonCodec);
    const series = new SeriesTable();
    for (let start = 0; ;) {
      const page = table.range({ start, limit: seriesPage });
      for (const { value } of page) series.add(value as SeriesEntry);
      const last = page.at(-1);
      if (last === undefined) return series;
      start = (last.key as number) + 1;
    }
  }

  #count(counter: string): number {
    return (this.#queue.table(countersTable, jsonCodec).get(counter) as number | undefined) ?? 0;
  }
}
