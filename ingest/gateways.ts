import type { GatewayIdentity } from "#telemetry/names.ts";
import { GatewayState } from "./gateway-state.ts";
import type { JournalSnapshot } from "./journal/messages.ts";

/** All gateways that ever sent something, by name and by number. */
export class Gateways {
  readonly #byName = new Map<string, GatewayState>();
  readonly #byNumber: GatewayState[] = [];

  /** What the journal remembers of them. */
  restore({ ledgers, outboxes }: JournalSnapshot): void {
    for (const ledger of ledgers) this.of({ name: ledger.gateway, agency: ledger.agency }).restore(ledger);
    for (const outbox of outboxes) this.#byName.get(outbox.gateway)?.restoreOutbox(outbox);
  }

  of(identity: GatewayIdentity): GatewayState {
    let state = this.#byName.get(identity.name);
    if (!state) {
      state = new GatewayState(identity, this.#byNumber.length);
      this.#byName.set(identity.name, state);
      this.#byNumber.push(state);
    }
    return state;
  }

  named(name: string): GatewayState | undefined {
    return this.#byName.get(name);
  }

  readonly nameOf = (number: number): string => {
    const state = this.#byNumber[number];
    if (!state) throw new RangeError(`no gateway has number ${number}`);
    return state.identity.name;
  };

  all(): readonly GatewayState[] {
    return this.#byNumber;
  }
}
