import type { GatewayTally } from "#store/port.ts";
import type { Made } from "./writer.ts";

/**
 * What the store made of each gateway's readings since the journal began: read once, then summed from its answers. The store
 * counts from its own beginning; what it had counted before the journal's is taken off.
 */
export class Tallies {
  readonly #base: ReadonlyMap<string, GatewayTally>;
  #byGateway: Map<string, GatewayTally>;

  constructor(tallies: readonly GatewayTally[], base: readonly GatewayTally[]) {
    this.#base = byGateway(base);
    this.#byGateway = byGateway(tallies);
  }

  of(gateway: string): GatewayTally {
    const { stored, merged, duplicate } = this.#byGateway.get(gateway) ?? none;
    const base = this.#base.get(gateway) ?? none;
    return {
      gateway,
      stored: Math.max(0, stored - base.stored),
      merged: Math.max(0, merged - base.merged),
      duplicate: Math.max(0, duplicate - base.duplicate),
    };
  }

  take({ of, tallies }: Pick<Made, "of" | "tallies">): void {
    if (of === "all") this.#byGateway = byGateway(tallies);
    else for (const tally of tallies) this.#add(tally);
  }

  #add({ gateway, stored, merged, duplicate }: GatewayTally): void {
    const sum = this.#byGateway.get(gateway) ?? none;
    this.#byGateway.set(gateway, {
      gateway,
      stored: sum.stored + stored,
      merged: sum.merged + merged,
      duplicate: sum.duplicate + duplicate,
    });
  }
}

const none = { stored: 0, merged: 0, duplicate: 0 };

function byGateway(tallies: readonly GatewayTally[]): Map<string, GatewayTally> {
  return new Map(tallies.map((tally) => [tally.gateway, tally]));
}
