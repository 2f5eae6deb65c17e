import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type DurableQueue,
  type QueueTransaction,
  type TableRange,
  jsonCodec,
} from "#runtime/durable-queue.ts";
import type { DeadLetter } from "#telemetry/account.ts";
import type { DeadLetterFilter, StoredDeadLetter } from "./journal.ts";
import type { RefusedPayload } from "./messages.ts";
import {
  formatKey,
  fromTableKey,
  parseKey,
  type PayloadKey,
  type PayloadTables,
  type PayloadWriters,
  rangeOf,
  tableKey,
  takeNumbers,
} from "./payload-table.ts";

export interface DeadLetterBounds {
  readonly bytesPerGateway: number;
  /** Of all gateways together. */
  readonly bytes: number;
  /** Milliseconds. */
  readonly maxAge: number;
}

/** Of one gateway: bytes that are kept, and letters with or without them. */
interface Total {
  readonly bytes: number;
  readonly letters: number;
}
type Totals = Map<string, Total>;

export const deadLetterTables = ["dead-letters", "dead-letter-bytes", "dead-letter-totals"] as const;
const [factsTable, bytesTable, totalsTable] = deadLetterTables;

/** Letters remembered for a gateway without their bytes; the ledger goes on counting beyond. */
const lettersPerGateway = 100_000;
/** Looked at in one step: when room is made, and when filtering. */
const step = 256;
/** Letters whose bytes one commit of `expire` takes away. */
const expiredAtATime = 1024;

/**
 * What was refused, in the journal's file: facts of each letter and, apart from them, its bytes. Beyond the bounds the oldest
 * bytes go and the facts stay. Numbers rise over all gateways and are never given again.
 */
export class DeadLetterTable {
  readonly #queue: DurableQueue;
  readonly #bounds: DeadLetterBounds;
  #totals: Totals = new Map();

  constructor(queue: DurableQueue, bounds: DeadLetterBounds) {
    this.#queue = queue;
    this.#bounds = bounds;
    this.reload();
  }

  /** Bytes kept of all gateways. */
  get bytes(): number {
    return sumBytes(this.#totals);
  }

  /** Reads the totals from the file: at the beginning, and when nobody knows whether a commit took place. */
  reload(): void {
    const rows = this.#queue.table(totalsTable, jsonCodec).range();
    this.#totals = new Map(rows.map(({ key, value }) => [key as string, value as Total]));
  }

  /** Within a commit: removes letters, adds others, and makes room. @returns what to call once it is on disk. */
  write(
    transaction: QueueTransaction,
    added: readonly RefusedPayload[],
    removed: readonly string[],
  ): () => void {
    const totals: Totals = new Map(this.#totals);
    const tables = writersOf(transaction);
    for (const id of removed) removeLetter(tables, totals, id);
    let number = takeNumbers(transaction, factsTable, added.length);
    for (const refused of added) {
      const key = { gateway: refused.gateway, number };
      addLetter(tables, totals, key, refused, refused.bytes.length <= this.#bounds.bytesPerGateway);
      number += 1;
    }
    for (const gateway of new Set(added.map(({ gateway }) => gateway))) {
      dropBytes(tables, totals, gateway, (total) => total.bytes > this.#bounds.bytesPerGateway);
      dropLetters(tables, totals, gateway);
    }
    this.#makeRoomForAll(tables, totals);
    return this.#saved(transaction, totals);
  }

  /** Takes away bytes that are too old, some at a time. @returns whether there are more. */
  expire(now: number): boolean {
    const before = now - this.#bounds.maxAge;
    const isDue = ({ at }: DeadLetter): boolean => at < before;
    const due = Array.from(this.#totals.keys()).filter((gateway) => {
      const [oldest] = this.#tables().bytes.keys({ ...rangeOf(gateway), limit: 1 });
      const letter = oldest && this.#tables().facts.get(oldest);
      return letter !== undefined && isDue(letter as DeadLetter);
    });
    if (due.length === 0) return false;
    let left = expiredAtATime;
    const saved = this.#queue.commit((transaction) => {
      const totals: Totals = new Map(this.#totals);
      const tables = writersOf(transaction);
      for (const gateway of due) {
        left -= dropBytes(tables, totals, gateway, (_, letter) => isDue(letter), left);
      }
      return this.#saved(transaction, totals);
    });
    saved();
    return left <= 0;
  }

  /**
   * The letters that match: the newest first, or, with `after`, those behind it in order of gateway and age. Leaves the thread
   * to others between two steps.
   */
  async find({ id, gateway, reason, after, limit }: DeadLetterFilter): Promise<StoredDeadLetter[]> {
    if (id !== undefined) return after ? [] : this.#letterWithId(id);
    const names = gateway === undefined ? Array.from(this.#totals.keys()).sort() : [gateway];
    const behind = after === undefined ? undefined : parseKey(after);
    const found: DeadLetter[] = [];
    for (const name of names) {
      if (behind && name < behind.gateway) continue;
      if (after !== undefined && found.length >= limit) break;
      const number = behind?.gateway === name ? behind.number : undefined;
      // Newest first, the newest of all gateways must be looked for in each of them.
      let wanted = after === undefined ? limit : limit - found.length;
      for await (const letter of this.#lettersOf(name, { after: number, newestFirst: after === undefined })) {
        if (wanted <= 0) break;
        if (reason !== undefined && letter.reason !== reason) continue;
        found.push(letter);
        wanted -= 1;
      }
    }
    const chosen =
      after === undefined ? found.sort((a, b) => numberOf(b) - numberOf(a)).slice(0, limit) : found;
    return chosen.map((letter) => this.#withPayload(letter));
  }

  #makeRoomForAll(tables: PayloadWriters, totals: Totals): void {
    for (;;) {
      const excess = sumBytes(totals) - this.#bounds.bytes;
      if (excess <= 0) return;
      const [largest] = [...totals].sort(([, a], [, b]) => b.bytes - a.bytes);
      if (!largest) return;
      const [gateway, { bytes }] = largest;
      if (dropBytes(tables, totals, gateway, (total) => total.bytes > bytes - excess) === 0) return;
    }
  }

  #saved(transaction: QueueTransaction, totals: Totals): () => void {
    const table = transaction.table(totalsTable, jsonCodec);
    for (const [gateway, total] of totals) {
      if (total !== this.#totals.get(gateway)) table.put(gateway, total);
    }
    return () => {
      this.#totals = totals;
    };
  }

  #letterWithId(id: string): StoredDeadLetter[] {
    const key = parseKey(id);
    const letter = key && this.#tables().facts.get(tableKey(key));
    return letter ? [this.#withPayload(letter as DeadLetter)] : [];
  }

  /** One gateway's letters, some at a time: no read outlives a step. */
  async *#lettersOf(
    gateway: string,
    { after, newestFirst }: { after: number | undefined; newestFirst: boolean },
  ): AsyncGenerator<DeadLetter> {
    let range: TableRange = { ...rangeOf(gateway, after), limit: step, reverse: newestFirst };
    for (;;) {
      const entries = this.#tables().facts.range(range);
      for (const { value } of entries) yield value as DeadLetter;
      const last = entries.at(-1);
      if (!last || entries.length < step) return;
      const { number } = fromTableKey(last.key);
      range = newestFirst ? { ...range, end: [gateway, number] } : { ...range, start: [gateway, number + 1] };
      await nextTurn();
    }
  }

  #withPayload(letter: DeadLetter): StoredDeadLetter {
    const key = parseKey(letter.id);
    const payload = key && letter.kept ? this.#tables().bytes.get(tableKey(key)) : undefined;
    // Its bytes may have gone since its facts were read.
    return { ...letter, kept: payload !== undefined, payload: payload ?? null };
  }

  #tables(): PayloadTables {
    return { facts: this.#queue.table(factsTable, jsonCodec), bytes: this.#queue.table(bytesTable) };
  }
}

function writersOf(transaction: QueueTransaction): PayloadWriters {
  return { facts: transaction.table(factsTable, jsonCodec), bytes: transaction.table(bytesTable) };
}

function addLetter(
  tables: PayloadWriters,
  totals: Totals,
  key: PayloadKey,
  { bytes, ...facts }: RefusedPayload,
  kept: boolean,
): void {
  const sha256 = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const letter: DeadLetter = { ...facts, id: formatKey(key), sha256, bytes: bytes.length, kept };
  tables.facts.put(tableKey(key), letter);
  if (kept) tables.bytes.put(tableKey(key), bytes);
  change(totals, facts.gateway, kept ? bytes.length : 0, 1);
}

/** Removes a letter with its bytes, if it is still there. */
function removeLetter(tables: PayloadWriters, totals: Totals, id: string): void {
  const key = parseKey(id);
  const letter = key && (tables.facts.get(tableKey(key)) as DeadLetter | undefined);
  if (!key || !letter) return;
  tables.facts.remove(tableKey(key));
  tables.bytes.remove(tableKey(key));
  change(totals, key.gateway, letter.kept ? -letter.bytes : 0, -1);
}

/** Takes away the oldest bytes of a gateway while `isTooMuch`, `most` at most. @returns how many letters lost theirs. */
function dropBytes(
  tables: PayloadWriters,
  totals: Totals,
  gateway: string,
  isTooMuch: (total: Total, oldest: DeadLetter) => boolean,
  most = Infinity,
): number {
  let dropped = 0;
  // Mostly there is nothing to drop: one look says so.
  for (let look = 1; dropped < most; look = step) {
    const oldest = tables.bytes.keys({ ...rangeOf(gateway), limit: Math.min(look, most - dropped) });
    for (const key of oldest) {
      const letter = tables.facts.get(key) as DeadLetter;
      if (!isTooMuch(totalOf(totals, gateway), letter)) return dropped;
      tables.bytes.remove(key);
      tables.facts.put(key, { ...letter, kept: false });
      change(totals, gateway, -letter.bytes, 0);
      dropped += 1;
    }
    if (oldest.length === 0) break;
  }
  return dropped;
}

/** Forgets the oldest letters of a gateway that are too many. */
function dropLetters(tables: PayloadWriters, totals: Totals, gateway: string): void {
  const excess = totalOf(totals, gateway).letters - lettersPerGateway;
  if (excess <= 0) return;
  for (const key of tables.facts.keys({ ...rangeOf(gateway), limit: excess })) {
    removeLetter(tables, totals, formatKey(fromTableKey(key)));
  }
}

function totalOf(totals: Totals, gateway: string): Total {
  return totals.get(gateway) ?? { bytes: 0, letters: 0 };
}

function change(totals: Totals, gateway: string, bytes: number, letters: number): void {
  const total = totalOf(totals, gateway);
  totals.set(gateway, { bytes: total.bytes + bytes, letters: total.letters + letters });
}

function sumBytes(totals: Totals): number {
  let sum = 0;
  for (const { bytes } of totals.values()) sum += bytes;
  return sum;
}

function numberOf({ id }: DeadLetter): number {
  return parseKey(id)?.number ?? 0;
}
