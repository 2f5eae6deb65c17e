import type { GatewayIdentity } from "#telemetry/names.ts";
import type { NackRejection } from "#telemetry/nack.ts";
import type { Reason } from "#telemetry/rejection.ts";
import { HeldSessions } from "./held-sessions.ts";
import type { LedgerRecord } from "./journal/messages.ts";
import { Outboxes } from "./outboxes.ts";

/** What ingest knows of one gateway: its side of the ledger, its reading numbers, and who waits for what. */
export class GatewayState {
  /** Its agency may change: a gateway is known by its name. */
  identity: GatewayIdentity;
  /** In this process only; blocks and tables carry names across. */
  readonly number: number;
  received = 0;
  duplicate = 0;
  refused: Partial<Record<Reason, number>> = {};
  waiting = 0;
  waitingBytes = 0;
  /** Milliseconds since 1970; 0: never. */
  lastSeen = 0;
  readonly outboxes = new Outboxes();
  /** Sessions that must wait for this gateway: for room in the waiting room, or for its replay. */
  readonly held = new HeldSessions();
  /** Its waiting readings are being decoded again; younger ones must not overtake them. */
  replaying = false;
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

  /** @param readings  Negative when refused ones were taken after all. */
  addRefused(reason: Reason, readings: number): void {
    const count = (this.refused[reason] ?? 0) + readings;
    if (count === 0) delete this.refused[reason];
    else this.refused[reason] = count;
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
}
