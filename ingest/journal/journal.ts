import type { DeadLetter } from "#telemetry/account.ts";
import type { JournalGroup, JournalRange, JournalStatus, WaitingEntry } from "./messages.ts";

/** What was refused, with its bytes while they are kept. */
export type StoredDeadLetter = DeadLetter & { readonly payload: Uint8Array | null };

export interface DeadLetterFilter {
  readonly id?: string | undefined;
  readonly gateway?: string | undefined;
  readonly reason?: string | undefined;
  /** Only those that come after this id. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/**
 * The journal, as ingest's main thread sees it: calls into the journal thread, in order. A commit that the disk or the bound
 * refuses is tried again until it goes through or the journal is closed: its promise stays open, and no PUBACK leaves meanwhile.
 */
export interface Journal extends AsyncDisposable {
  /** Made with its folder. */
  readonly uuid: string;
  /** One fsynced transaction. @returns the position the next block gets. */
  commit(group: JournalGroup): Promise<number>;
  /** Blocks from `from` on: at least one if there is one, about `maxBytes` at most. */
  read(from: number, maxBytes: number): Promise<JournalRange>;
  /** Does the store take anything? While it does not, no block is kept in memory for it. */
  storeTakes(takes: boolean): void;
  /** Blocks before `before` are in the store; their room is given back at leisure. */
  trim(before: number): Promise<void>;
  /** A gateway's waiting payloads after the key `after`, oldest first, about `maxBytes` at most. */
  waiting(gateway: string, after: string | undefined, maxBytes: number): Promise<WaitingEntry[]>;
  /** When the oldest payload came that waits for one of these gateways, milliseconds since 1970; undefined: none waits. */
  oldestWaiting(gateways: readonly string[]): Promise<number | undefined>;
  /** Newest first without `after`, else in order of gateway and age. */
  deadLetters(filter: DeadLetterFilter): Promise<StoredDeadLetter[]>;
  status(): Promise<JournalStatus>;
  /** From when it resolves nothing is trimmed until `letGo`: a copy of the file then has all that the store's copy of before lacks. */
  hold(): Promise<void>;
  letGo(): Promise<void>;
}
