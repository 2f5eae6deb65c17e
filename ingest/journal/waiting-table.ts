import { type DurableQueue, type QueueTransaction, jsonCodec } from "#runtime/durable-queue.ts";
import type { WaitingEntry, WaitingPayload } from "./messages.ts";
import { formatKey, fromTableKey, parseKey, rangeOf, tableKey, takeNumbers } from "./payload-table.ts";

export const waitingTables = ["waiting", "waiting-bytes"] as const;
const [factsTable, bytesTable] = waitingTables;

/** Entries looked at in one step. */
const step = 64;

/** Readings of unknown sensors, in the journal's file: facts and bytes, in order of arrival for each gateway. */
export class WaitingTable {
  readonly #queue: DurableQueue;

  constructor(queue: DurableQueue) {
    this.#queue = queue;
  }

  /** Within a commit: removes entries, then adds others or puts them in the place of earlier ones. */
  write(transaction: QueueTransaction, added: readonly WaitingPayload[], removed: readonly string[]): void {
    const facts = transaction.table(factsTable, jsonCodec);
    const payloads = transaction.table(bytesTable);
    for (const key of removed.map(parseKey)) {
      if (!key) continue;
      facts.remove(tableKey(key));
      payloads.remove(tableKey(key));
    }
    let number = takeNumbers(transaction, factsTable, added.filter(({ key }) => key === undefined).length);
    for (const { bytes, key: place, ...rest } of added) {
      const taken = place === undefined ? undefined : parseKey(place);
      const key = tableKey(taken ?? { gateway: rest.gateway, number: number++ });
      facts.put(key, rest);
      payloads.put(key, bytes);
    }
  }

  /** When the oldest of these gateways' entries came; a replay that puts one back keeps its time and its place. */
  oldest(gateways: readonly string[]): number | undefined {
    const facts = this.#queue.table(factsTable, jsonCodec);
    const times = gateways.flatMap((gateway) =>
      facts
        .keys({ ...rangeOf(gateway), limit: 1 })
        .map((key) => (facts.get(key) as Pick<WaitingPayload, "at">).at),
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** One gateway's entries behind the key `after`, oldest first: at least one if there is one, about `maxBytes` at most. */
  behind({
    gateway,
    after,
    maxBytes,
  }: {
    gateway: string;
    after: string | undefined;
    maxBytes: number;
  }): WaitingEntry[] {
    const facts = this.#queue.table(factsTable, jsonCodec);
    const payloads = this.#queue.table(bytesTable);
    const entries: WaitingEntry[] = [];
    let number = after === undefined ? undefined : parseKey(after)?.number;
    let bytesRead = 0;
    for (;;) {
      const keys = facts.keys({ ...rangeOf(gateway, number), limit: step });
      for (const key of keys) {
        const bytes = payloads.get(key) ?? new Uint8Array();
        const rest = facts.get(key) as Omit<WaitingPayload, "bytes">;
        entries.push({ ...rest, bytes, key: formatKey(fromTableKey(key)) });
        bytesRead += bytes.length;
        if (bytesRead >= maxBytes) return entries;
      }
      const last = keys.at(-1);
      if (last === undefined || keys.length < step) return entries;
      number = fromTableKey(last).number;
    }
  }
}
