import type { GatewayIdentity } from "#telemetry/names.ts";
import { maySubscribe, topicPrefix } from "#telemetry/topic.ts";

/**
 * May `gateway` do this with `topic` (for "subscribe" a filter)? Readings and births are not asked about: the fast path
 * compares their topics with the gateway's own prefix. Topics below `$SYS/` are refused whatever it answers.
 */
export type Authorize = (
  gateway: GatewayIdentity,
  action: "publish" | "will" | "subscribe",
  topic: string,
) => boolean;

/** What gateways may do: publish their own status, have it as their will, and hear what is told to them. */
export const authorizeGateway: Authorize = (gateway, action, topic) =>
  action === "subscribe" ? maySubscribe(gateway, topic) : topic === `${topicPrefix(gateway)}status`;

/** aedes' own control topics: whoever publishes there can evict others; whoever listens learns their names. */
export function isReserved(topic: string): boolean {
  return topic === "$SYS" || topic.startsWith("$SYS/");
}
