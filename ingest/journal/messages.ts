import type { Reason } from "#telemetry/rejection.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import type { UplinkChannel } from "#telemetry/topic.ts";

/** What crosses between ingest and the journal thread. Everything of a `JournalGroup` is one lmdb transaction. */
export interface JournalGroup {
  /** `telemetry/block.ts` bytes, transferred; undefined when the group holds no readings. */
  readonly block: ArrayBuffer | undefined;
  /** Dictionary entries first used in this group. */
  readonly series: readonly SeriesEntry[];
  /** Absolute counts after this group, of the gateways it touched. */
  readonly ledgers: readonly LedgerRecord[];
  /** Interval sets after this group, of the outboxes it touched. */
  readonly outboxes: readonly OutboxRecord[];
  readonly waiting: readonly WaitingPayload[];
  readonly waitingDone: readonly string[];
  readonly deadLetters: readonly RefusedPayload[];
  readonly deadLettersDone: readonly string[];
}

/** One gateway's side of the account that the journal keeps; counts of readings since the journal began. */
export interface LedgerRecord {
  readonly gateway: string;
  readonly agency: string;
  readonly received: number;
  /** Re-sent readings, known by their numbers. What the store finds twice is in the store's tally. */
  readonly duplicate: number;
  readonly refused: Partial<Record<Reason, number>>;
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Milliseconds since 1970. */
  readonly lastSeen: number;
}

export interface OutboxRecord {
  readonly gateway: string;
  readonly outbox: string;
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
  readonly at: number;
  readonly bytes: Uint8Array;
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
  readonly uuid: string;
  readonly first: number;
  readonly next: number;
  readonly series: readonly SeriesEntry[];
  readonly ledgers: readonly LedgerRecord[];
  readonly outboxes: readonly OutboxRecord[];
}

export interface JournalStatus {
  readonly first: number;
  readonly next: number;
  readonly liveBytes: number;
  readonly fileBytes: number;
  readonly deadLetterBytes: number;
  /** Why commits do not go through at present, if they do not. */
  readonly blocked: { readonly code: string; readonly message: string } | undefined;
  /** Milliseconds the last commit took. */
  readonly commitMs: number;
}

export interface JournalRange {
  readonly first: number;
  readonly next: number;
  readonly blocks: readonly ArrayBuffer[];
}
