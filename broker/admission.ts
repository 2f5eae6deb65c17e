import { randomUUID } from "node:crypto";
import type { ConnectPacket } from "aedes";
import type { GatewayIdentity } from "#telemetry/names.ts";
import { type Authorize, isReserved } from "./acl.ts";
import type { BrokerLimits } from "./limits.ts";
import type { RefusalReason } from "./refusals.ts";

/** Who `name` is if `password` is right; undefined otherwise. May reject when it cannot be told now. */
export type Authenticate = (name: string, password: Uint8Array) => Promise<GatewayIdentity | undefined>;

/** CONNACK return codes (MQTT 3.1.1, table 3.1). */
export const returnCodes = {
  identifier: 2,
  unavailable: 3,
  credentials: 4,
  notAuthorized: 5,
} as const;

export type Admission =
  | { readonly ok: true; readonly gateway: GatewayIdentity; readonly clientId: string }
  | {
      readonly ok: false;
      readonly reason: RefusalReason;
      readonly returnCode: number;
    };

/**
 * Decides on a CONNECT. The client id that aedes gets is `<gateway>/<the client's own>`, so that taking over a connection
 * (same client id) happens between connections of one gateway only. Rejects when `authenticate` does.
 */
export async function decideAdmission(
  packet: ConnectPacket,
  parts: { limits: BrokerLimits; authenticate: Authenticate; authorize: Authorize },
): Promise<Admission> {
  const { limits, authenticate, authorize } = parts;
  const { clientId, username, password, will } = packet;
  if ((clientId === "" && packet.clean !== true) || clientId.length > limits.clientIdLength) {
    return { ok: false, reason: "client-id", returnCode: returnCodes.identifier };
  }
  const gateway =
    username === undefined || password === undefined
      ? undefined
      : await authenticate(username, Buffer.from(password));
  if (gateway === undefined) {
    return { ok: false, reason: "credentials", returnCode: returnCodes.credentials };
  }
  if (will !== undefined) {
    const allowed = !isReserved(will.topic) && authorize(gateway, "will", will.topic);
    if (!allowed || will.payload.length > limits.retainedPayloadBytes) {
      return { ok: false, reason: "will", returnCode: returnCodes.notAuthorized };
    }
  }
  return { ok: true, gateway, clientId: `${gateway.name}/${clientId === "" ? randomUUID() : clientId}` };
}
