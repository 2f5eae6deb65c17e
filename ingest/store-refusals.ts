import type { StoreRefusal } from "#store/port.ts";
import type { Rejection } from "#telemetry/rejection.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Gateways } from "./gateways.ts";
import type { Group } from "./group.ts";
import type { Notices } from "./notices.ts";

const newline = 0x0a;

export interface StoreRefusalsOptions {
  readonly group: Group;
  readonly gateways: Gateways;
  readonly deadLetters: DeadLetters;
  readonly notices: Notices;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Turns what the store refused into dead letters, each refusal once. The store keeps its refusals with the position, in one transaction;
 * the journal keeps the dead letters with the position up to which it has them, in another: whichever of the two a crash comes
 * between, the next start knows which refusals are still to be taken.
 */
export class StoreRefusals {
  readonly #options: StoreRefusalsOptions;
  /** Refusals of blocks before this position are dead letters, or on their way to be. */
  #takenTo: number;

  constructor(options: StoreRefusalsOptions, takenTo: number) {
    this.#options = options;
    this.#takenTo = takenTo;
  }

  /** In the same turn as the readings leave what is in flight: the account balances at every moment. */
  take(refused: readonly StoreRefusal[]): void {
    const { group } = this.#options;
    let next = this.#takenTo;
    for (const refusal of refused) {
      if (refusal.position < this.#takenTo) continue;
      this.#takeOne(refusal);
      next = Math.max(next, refusal.position + 1);
    }
    if (next === this.#takenTo) return;
    this.#takenTo = next;
    group.refusalsTakenTo(next);
  }

  #takeOne({ gateway: name, agency, detail, readings, lines }: StoreRefusal): void {
    const { gateways, deadLetters, notices, now } = this.#options;
    const gateway = gateways.known({ name, agency });
    const bytes = new Uint8Array(Buffer.from(lines));
    const reason = "store-refused";
    deadLetters.add(gateway, { agency, channel: "lp", reason, detail, readings, at: now(), bytes });
    notices.refused(gateway, bytes, rejectionsOf(bytes, detail));
  }
}

function* rejectionsOf(bytes: Uint8Array, detail: string): Generator<Rejection> {
  let start = 0;
  for (let ordinal = 0; start <= bytes.length; ordinal++) {
    const found = bytes.indexOf(newline, start);
    const end = found === -1 ? bytes.length : found;
    yield { reason: "store-refused", detail, start, end, ordinal };
    start = end + 1;
  }
}
