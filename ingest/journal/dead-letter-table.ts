import { createHash } from "node:crypto";
import type { TableRange } from "#runtime/durable-queue.ts";
import type { DeadLetter } from "#telemetry/account.ts";
import type { DeadLetterFilter, StoredDeadLetter } from "./journal.ts";
import type { RefusedPayload } from "./messages.ts";
import {
  formatKey,
  fromTableKey,
  parseKey,
  type PayloadTables,
  type PayloadWriters,
  rangeOf,
  tableKey,
} from "./payload-table.ts";

export interface DeadLetterBounds {
  readonly bytesPerGateway: number;
  /** Milliseconds. */
  readonly maxAge: number;
}

/** Of one gateway. */
export interface DeadLetterTotal {
  readonly bytes: number;
  readonly letters: number;
}

/** Letters remembered for a gateway without their bytes; the ledger goes on counting beyond. */
const lettersPerGateway = 100_000;
/** Looked at in one step when room is made, and when filtering. */
const step = 256;

/** Adds a letter and makes room for it, oldest bytes first. @returns the gateway's new total. */
export function addDeadLetter(
  tables: PayloadWriters,
  total: DeadLetterTotal,
  number: number,
  { bytes, ...facts }: RefusedPayload,
  bounds: DeadLetterBounds,
): DeadLetterTotal {
  const key = { gateway: facts.gateway, number };
  const kept = bytes.length <= bounds.bytesPerGateway;
  const letter: DeadLetter = {
    ...facts,
    id: formatKey(key),
    sha256: createHash("sha256").update(bytes).digest("hex").slice(0, 16),
    bytes: bytes.length,
    kept,
  };
  tables.facts.put(tableKey(key), letter);
  if (kept) tables.bytes.put(tableKey(key), bytes);
  const grown = { bytes: total.bytes + (kept ? bytes.length : 0), letters: total.letters + 1 };
  return makeRoom(tables, facts.gateway, grown, facts.at, bounds);
}

/** Removes a letter with its bytes. @returns the gateway's new total. */
export function removeDeadLetter(tables: PayloadWriters, total: DeadLetterTotal, id: string): DeadLetterTotal {
  const key = parseKey(id);
  const letter = key && (tables.facts.get(tableKey(key)) as DeadLetter | undefined);
  if (!key || !letter) return total;
  tables.facts.remove(tableKey(key));
  tables.bytes.remove(tableKey(key));
  return { bytes: total.bytes - (letter.kept ? letter.bytes : 0), letters: total.letters - 1 };
}

/** Drops bytes that are too many or too old, oldest first, and letters that are too many. */
export function makeRoom(
  tables: PayloadWriters,
  gateway: string,
  total: DeadLetterTotal,
  now: number,
  { bytesPerGateway, maxAge }: DeadLetterBounds,
): DeadLetterTotal {
  let { bytes, letters } = total;
  let looking = true;
  while (looking) {
    const oldest = tables.bytes.keys({ ...rangeOf(gateway), limit: step });
    looking = oldest.length === step;
    for (const key of oldest) {
      const letter = tables.facts.get(key) as DeadLetter;
      if (bytes <= bytesPerGateway && letter.at >= now - maxAge) {
        looking = false;
        break;
      }
      tables.bytes.remove(key);
      tables.facts.put(key, { ...letter, kept: false });
      bytes -= letter.bytes;
    }
  }
  while (letters > lettersPerGateway) {
    const [key] = tables.facts.keys({ ...rangeOf(gateway), limit: 1 });
    if (key === undefined) break;
    ({ bytes, letters } = removeDeadLetter(tables, { bytes, letters }, formatKey(fromTableKey(key))));
  }
  return { bytes, letters };
}

/**
 * The letters that match: the newest first, or, with `after`, those behind it in order of gateway and age.
 * @param gateways  Those that have letters, in order.
 */
export function findDeadLetters(
  tables: PayloadTables,
  gateways: readonly string[],
  { id, gateway, reason, after, limit }: DeadLetterFilter,
): StoredDeadLetter[] {
  if (id !== undefined) return after ? [] : letterWithId(tables, id);
  const matches = (letter: DeadLetter): boolean => reason === undefined || letter.reason === reason;
  const behind = after === undefined ? undefined : parseKey(after);
  const found: DeadLetter[] = [];
  for (const name of gateway === undefined ? gateways : [gateway]) {
    if (behind && name < behind.gateway) continue;
    const number = behind?.gateway === name ? behind.number : undefined;
    let ofThis = 0;
    for (const letter of lettersOf(tables, name, { after: number, newestFirst: after === undefined })) {
      if (!matches(letter)) continue;
      found.push(letter);
      ofThis += 1;
      if (ofThis === limit || (after !== undefined && found.length === limit)) break;
    }
    if (after !== undefined && found.length === limit) break;
  }
  const chosen = after === undefined ? found.sort((a, b) => b.at - a.at).slice(0, limit) : found;
  return chosen.map((letter) => withPayload(tables, letter));
}

function letterWithId(tables: PayloadTables, id: string): StoredDeadLetter[] {
  const key = parseKey(id);
  const letter = key && tables.facts.get(tableKey(key));
  return letter ? [withPayload(tables, letter as DeadLetter)] : [];
}

/** One gateway's letters, some at a time: no read outlives a step. */
function* lettersOf(
  tables: PayloadTables,
  gateway: string,
  { after, newestFirst }: { after: number | undefined; newestFirst: boolean },
): Generator<DeadLetter> {
  let range: TableRange = { ...rangeOf(gateway, after), limit: step, reverse: newestFirst };
  for (;;) {
    const entries = tables.facts.range(range);
    for (const { value } of entries) yield value as DeadLetter;
    const last = entries.at(-1);
    if (!last || entries.length < step) return;
    const { number } = fromTableKey(last.key);
    range = newestFirst ? { ...range, end: [gateway, number] } : { ...range, start: [gateway, number + 1] };
  }
}

function withPayload(tables: PayloadTables, letter: DeadLetter): StoredDeadLetter {
  const key = parseKey(letter.id);
  return { ...letter, payload: key && letter.kept ? (tables.bytes.get(tableKey(key)) ?? null) : null };
}
