import type { GatewayTally } from "#store/port.ts";
import type { GatewayAccount } from "#telemetry/account.ts";
import type { GatewayState } from "./gateway-state.ts";

/** Gaps named in an account; `missing` counts all of them. */
const gapsNamed = 20;

/** What the store made of each gateway's readings: read once, then summed from its answers. */
export class Tallies {
  #byGateway = new Map<string, GatewayTally>();

  constructor(tallies: readonly GatewayTally[]) {
    this.replace(tallies);
  }

  of(gateway: string): GatewayTally {
    return this.#byGateway.get(gateway) ?? { gateway, stored: 0, merged: 0, duplicate: 0 };
  }

  all(): Iterable<GatewayTally> {
    return this.#byGateway.values();
  }

  add(tallies: readonly GatewayTally[]): void {
    for (const { gateway, stored, merged, duplicate } of tallies) {
      const sum = this.of(gateway);
      this.#byGateway.set(gateway, {
        gateway,
        stored: sum.stored + stored,
        merged: sum.merged + merged,
        duplicate: sum.duplicate + duplicate,
      });
    }
  }

  replace(tallies: readonly GatewayTally[]): void {
    this.#byGateway = new Map(tallies.map((tally) => [tally.gateway, tally]));
  }
}

/**
 * One gateway's ledger at this moment. `sent` is what the intake counted as it came in; the other side is what store, dead letters, waiting room
 * and journal say they have.
 * @param onItsWay  Readings in blocks that are not in the store, and in the group that is not yet a block.
 */
export function accountOf(
  gateway: GatewayState,
  tally: GatewayTally,
  onItsWay: number,
  presence: { connected: boolean; sensors: number },
): GatewayAccount {
  const missing = gateway.missing();
  const refused = gateway.refusedTotal();
  const duplicate = gateway.duplicate + tally.duplicate;
  const { stored, merged } = tally;
  const found = stored + duplicate + refused + gateway.waiting + onItsWay;
  return {
    gateway: gateway.identity.name,
    agency: gateway.identity.agency,
    connected: presence.connected,
    last_seen: gateway.lastSeen > 0 ? gateway.lastSeen : null,
    sensors: presence.sensors,
    sent: gateway.received + missing,
    stored,
    merged,
    duplicate,
    refused,
    refused_by_reason: { ...gateway.refused },
    on_its_way: { waiting: gateway.waiting, journal: onItsWay, missing },
    missing: Array.from(gateway.outboxes.values())
      .flatMap(({ id, numbers }) => numbers.gaps(gapsNamed).map(({ from, to }) => ({ outbox: id, from, to })))
      .slice(0, gapsNamed),
    balanced: gateway.received === found,
  };
}
