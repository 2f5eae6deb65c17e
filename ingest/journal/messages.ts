import { z } from "zod";
import type { GatewayTally } from "#store/port.ts";
import { type Reason, reasons } from "#telemetry/rejection.ts";
import type { SeriesTable } from "#telemetry/series-table.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import type { UplinkChannel } from "#telemetry/topic.ts";

/** What crosses between ingest and the journal thread. Everything of a `JournalGroup` is one lmdb transaction. */
export interface JournalGroup {
  /** `telemetry/block.ts` bytes, transferred; undefined when the group holds no readings. */
  readonly block: ArrayBuffer | undefined;
  /** Dictionary entries that the journal does not have yet. */
  readonly series: readonly SeriesEntry[];
  /** With the first group of a journal: what the store had made of readings before. */
  readonly storeBase: readonly GatewayTally[] | undefined;
  /** Absolute counts after this group, of the gateways it touched. */
  readonly ledgers: readonly LedgerRecord[];
  /** Interval sets after this group, of the outboxes it touched. */
  readonly outboxes: readonly OutboxRecord[];
  readonly outboxesForgotten: readonly OutboxName[];
  readonly waiting: readonly WaitingPayload[];
  readonly waitingDone: readonly string[];
  readonly deadLetters: readonly RefusedPayload[];
  readonly deadLettersDone: readonly string[];
  /** With this group, dead letters hold what the store refused of blocks before this position; undefined: as before. */
  readonly refusalsTaken: number | undefined;
}

const count = z.int().min(0);

/** One gateway's side of the account that the journal keeps; counts of readings since the journal began. */
export const LedgerRecord = z.strictObject({
  gateway: z.string(),
  agency: z.string(),
  received: count,
  /** Re-sent readings, known by their numbers. What the store finds twice is in the store's tally. */
  duplicate: count,
  refused: z.partialRecord(z.enum(reasons), count),
  waiting: count,
  waitingBytes: count,
  /** Milliseconds since 1970; written with the next change of a count, never for itself. */
  lastSeen: z.number(),
});
export type LedgerRecord = z.infer<typeof LedgerRecord>;

export interface OutboxName {
  readonly gateway: string;
  readonly outbox: string;
}

export interface OutboxRecord extends OutboxName {
  /** `IntervalSet` as JSON. */
  readonly intervals: unknown;
  readonly lastUsed: number;
}

/** Readings of unknown sensors, as they came, until a birth or an operator names the sensors. */
export interface WaitingPayload {
  readonly gateway: string;
  readonly agency: string;
  readonly channel: UplinkChannel;
  readonly readings: number;
  /** When they came. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Of the entry whose place it takes; without one it comes behind the others. */
  readonly key?: string | undefined;
}
export type WaitingEntry = WaitingPayload & { readonly key: string };

/** Readings of one message that were refused for one reason. */
export interface RefusedPayload {
  readonly gateway: string;
  readonly agency: string;
  readonly channel: UplinkChannel | "status";
  readonly reason: Reason;
  readonly detail: string;
  readonly readings: number;
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** What the journal knew when it was opened. */
export interface JournalSnapshot {
  readonly first: number;
  readonly next: number;
  readonly series: SeriesTable;
  /** Undefined until the journal's first commit. */
  readonly storeBase: readonly GatewayTally[] | undefined;
  readonly ledgers: readonly LedgerRecord[];
  readonly outboxes: readonly OutboxRecord[];
  /** Dead letters hold what the store refused of blocks before this position. */
  readonly refusalsTaken: number;
}

export interface JournalStatus {
  readonly first: number;
  readonly next: number;
  readonly liveBytes: number;
  readonly fileBytes: number;
  readonly deadLetterBytes: number;
  /** The number that the next dead letter gets. */
  readonly nextDeadLetter: number;
  /** Why commits do not go through at present, if they do not. */
  readonly blocked: { readonly code: string; readonly message: string } | undefined;
}

/** Blocks `first` … `next - 1`. */
export interface JournalRange {
  readonly first: number;
  readonly next: number;
  readonly blocks: readonly ArrayBuffer[];
}
