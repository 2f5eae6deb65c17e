import type { GatewayIdentity } from "#telemetry/names.ts";
import type { NackRejection } from "#telemetry/nack.ts";
import type { Reason } from "#telemetry/rejection.ts";
import type { LedgerRecord, OutboxRecord } from "./journal/messages.ts";
import { IntervalSet } from "./outbox-intervals.ts";
import type { IngestSession } from "./source.ts";

/** Outboxes remembered for a gateway; each factory reset of an agent makes one. The least recently used is forgotten first. */
const outboxesKept = 16;

/** The numbers seen of one outbox. */
export interface Outbox {
  readonly id: string;
  readonly numbers: IntervalSet;
  lastUsed: number;
}

/** What ingest knows of one gateway: its side of the ledger, its reading numbers, and who waits for what. */
export class GatewayState {
  readonly identity: GatewayIdentity;
  /** In this process only; blocks and tables carry names across. */
  readonly number: number;
  received = 0;
  duplicate = 0;
  refused: Partial<Record<Reason, number>> = {};
  waiting = 0;
  waitingBytes = 0;
  lastSeen = 0;
  readonly outboxes = new Map<string, Outbox>();
  /** Sessions whose next message does not fit the waiting quota. */
  readonly held = new Set<IngestSession>();
  /** Refusals not yet told. */
  nack: { count: number; rejections: NackRejection[] } = { count: 0, rejections: [] };

  constructor(identity: GatewayIdentity, number: number) {
    this.identity = identity;
    this.number = number;
  }

  refusedTotal(): number {
    let total = 0;
    for (const count of Object.values(this.refused)) total += count;
    return total;
  }

  addRefused(reason: Reason, readings: number): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + readings;
  }

  outbox(id: string, now: number): Outbox {
    let outbox = this.outboxes.get(id);
    if (!outbox) {
      outbox = { id, numbers: new IntervalSet(), lastUsed: now };
      this.outboxes.set(id, outbox);
      if (this.outboxes.size > outboxesKept) this.outboxes.delete(this.#leastRecentlyUsed());
    }
    outbox.lastUsed = now;
    return outbox;
  }

  /** Reading numbers below the highest seen that have not arrived. */
  missing(): number {
    let missing = 0;
    for (const { numbers } of this.outboxes.values()) missing += numbers.missing;
    return missing;
  }

  toRecord(): LedgerRecord {
    const { received, duplicate, refused, waiting, waitingBytes, lastSeen } = this;
    const { name: gateway, agency } = this.identity;
    return { gateway, agency, received, duplicate, refused: { ...refused }, waiting, waitingBytes, lastSeen };
  }

  restore(record: LedgerRecord): void {
    this.received = record.received;
    this.duplicate = record.duplicate;
    this.refused = { ...record.refused };
    this.waiting = record.waiting;
    this.waitingBytes = record.waitingBytes;
    this.lastSeen = record.lastSeen;
  }

  restoreOutbox(record: OutboxRecord): void {
    this.outboxes.set(record.outbox, {
      id: record.outbox,
      numbers: IntervalSet.fromJSON(record.intervals),
      lastUsed: record.lastUsed,
    });
  }

  #leastRecentlyUsed(): string {
    let oldest: Outbox | undefined;
    for (const outbox of this.outboxes.values()) {
      if (!oldest || outbox.lastUsed < oldest.lastUsed) oldest = outbox;
    }
    return oldest?.id ?? "";
  }
}
