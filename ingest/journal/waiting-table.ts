import type { WaitingEntry, WaitingPayload } from "./messages.ts";
import {
  formatKey,
  fromTableKey,
  parseKey,
  type PayloadTables,
  type PayloadWriters,
  rangeOf,
  tableKey,
} from "./payload-table.ts";

/** Entries looked at in one step. */
const step = 64;

export function addWaiting(tables: PayloadWriters, number: number, { bytes, ...facts }: WaitingPayload): void {
  const key = tableKey({ gateway: facts.gateway, number });
  tables.facts.put(key, facts);
  tables.bytes.put(key, bytes);
}

/** One gateway's waiting payloads behind `after`, oldest first: at least one if there is one, about `maxBytes` at most. */
export function waitingBehind(
  tables: PayloadTables,
  { gateway, after, maxBytes }: { gateway: string; after: string | undefined; maxBytes: number },
): WaitingEntry[] {
  const entries: WaitingEntry[] = [];
  let number = after === undefined ? undefined : parseKey(after)?.number;
  let bytesRead = 0;
  for (;;) {
    const keys = tables.facts.keys({ ...rangeOf(gateway, number), limit: step });
    for (const key of keys) {
      const facts = tables.facts.get(key) as Omit<WaitingPayload, "bytes">;
      const bytes = tables.bytes.get(key) ?? new Uint8Array();
      entries.push({ ...facts, bytes, key: formatKey(fromTableKey(key)) });
      bytesRead += bytes.length;
      if (bytesRead >= maxBytes) return entries;
    }
    const last = keys.at(-1);
    if (last === undefined || keys.length < step) return entries;
    number = fromTableKey(last).number;
  }
}
