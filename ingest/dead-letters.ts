import type { Reason } from "#telemetry/rejection.ts";
import type { GatewayState } from "./gateway-state.ts";
import type { Group } from "./group.ts";
import type { RefusedPayload } from "./journal/messages.ts";

/** What was refused since the process began; never goes down. */
export interface RefusalCount {
  /** Readings, and each bad header as one. */
  readonly readings: number;
  readonly letters: number;
}

/** Takes what is refused into the ledger and, through the group, into the journal's dead letters. */
export class DeadLetters {
  readonly #group: Group;
  readonly #counts = new Map<Reason, { readings: number; letters: number }>();

  constructor(group: Group) {
    this.#group = group;
  }

  get counts(): ReadonlyMap<Reason, RefusalCount> {
    return this.#counts;
  }

  get readings(): number {
    let readings = 0;
    for (const count of this.#counts.values()) readings += count.readings;
    return readings;
  }

  /** @param letter  Without the gateway's name; `agency` is the one it was sent in. */
  add(gateway: GatewayState, letter: Omit<RefusedPayload, "gateway">): void {
    const { reason, readings } = letter;
    const count = this.#counts.get(reason) ?? { readings: 0, letters: 0 };
    this.#counts.set(reason, { readings: count.readings + readings, letters: count.letters + 1 });
    if (readings > 0) gateway.addRefused(reason, readings);
    this.#group.addDeadLetter({ gateway: gateway.identity.name, ...letter });
    this.#group.touch(gateway);
  }

  /** A letter whose readings were taken after all, or refused for another reason. */
  done(
    gateway: GatewayState,
    { id, reason, readings }: { id: string; reason: Reason; readings: number },
  ): void {
    gateway.addRefused(reason, -readings);
    this.#group.deadLetterDone(id);
    this.#group.touch(gateway);
  }
}
