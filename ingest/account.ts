import type { GatewayTally } from "#store/port.ts";
import type { GatewayAccount } from "#telemetry/account.ts";
import type { GatewayState } from "./gateway-state.ts";

/** Gaps named in an account; `missing` counts all of them. */
const gapsNamed = 20;

/**
 * One gateway's ledger at this moment. `sent` is what the intake counted as it came in; the other side is what store, dead letters,
 * waiting room and journal say they have.
 * @param onItsWay  Readings in blocks that are not in the store, and in the group that is not yet a block.
 */
export function accountOf(
  gateway: GatewayState,
  { stored, merged, duplicate: foundTwice }: GatewayTally,
  onItsWay: number,
  presence: { connected: boolean; sensors: number },
): GatewayAccount {
  const missing = gateway.outboxes.missing();
  const refused = gateway.refusedTotal();
  const duplicate = gateway.duplicate + foundTwice;
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
    missing: gateway.outboxes.gaps(gapsNamed),
    balanced: gateway.received === found,
  };
}
