import type { GatewayIdentity } from "#telemetry/names.ts";
import { GatewayState } from "./gateway-state.ts";

/** All gateways that ever sent something, by name; and numbers for these and for the owners of sensors. */
export class Gateways {
  readonly #states = new Map<string, GatewayState>();
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];

  /** Who speaks: its agency is now this one, whatever it was. Once per message. */
  sender(identity: GatewayIdentity): GatewayState {
    const state = this.known(identity);
    if (state.identity.agency !== identity.agency) state.identity = identity;
    return state;
  }

  /** Who spoke once. The identity counts only for one that is not known yet. */
  known(identity: GatewayIdentity): GatewayState {
    let state = this.#states.get(identity.name);
    if (!state) {
      state = new GatewayState(identity, this.numberOf(identity.name));
      this.#states.set(identity.name, state);
    }
    return state;
  }

  named(name: string): GatewayState | undefined {
    return this.#states.get(name);
  }

  /** Given at first sight; of this process only. */
  numberOf(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.length;
      this.#numbers.set(name, number);
      this.#names.push(name);
    }
    return number;
  }

  readonly nameOf = (number: number): string => {
    const name = this.#names[number];
    if (name === undefined) throw new RangeError(`no gateway has number ${number}`);
    return name;
  };

  all(): Iterable<GatewayState> {
    return this.#states.values();
  }
}
