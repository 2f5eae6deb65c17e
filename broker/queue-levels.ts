import type { ObservedQueue, QueueLevel } from "#runtime/queue-metrics.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { Copies } from "./copies.ts";
import type { BrokerLimits } from "./limits.ts";
import type { PublishQueue } from "./publish-queue.ts";
import type { SessionStore } from "./session-store.ts";

/** What one connection has taken without a PUBACK, and what it holds because ingest could not take it. */
export interface UplinkLevels {
  readonly inFlight: number;
  readonly inFlightBytes: number;
  readonly held: number;
  /** When the oldest held message came, of the process' clock. */
  readonly heldSince: number | undefined;
}

export interface BrokerQueues {
  readonly limits: BrokerLimits;
  readonly connections: Iterable<{ readonly uplinkLevels: UplinkLevels | undefined }>;
  readonly heldBudget: ByteBudget;
  readonly copies: () => Copies;
  readonly sessions: () => SessionStore;
  readonly publishes: () => PublishQueue;
}

/**
 * `in_flight` (taken, PUBACK owed), `held` (not taken by ingest yet), `copies` (for subscribers, once acknowledged), `offline` (for
 * persistent sessions) and `publish` (of the platform, to gateways).
 */
export function brokerQueues(queues: BrokerQueues): ObservedQueue[] {
  const { limits, connections, heldBudget, copies, sessions, publishes } = queues;
  const uplinks = (): UplinkLevels[] =>
    Array.from(connections, ({ uplinkLevels }) => uplinkLevels).filter((levels) => levels !== undefined);
  const sum = (key: "inFlight" | "inFlightBytes" | "held"): number =>
    uplinks().reduce((total, levels) => total + levels[key], 0);
  const held = (): QueueLevel => {
    const since = uplinks().flatMap(({ heldSince }) => heldSince ?? []);
    return {
      depth: sum("held"),
      bytes: heldBudget.used,
      oldest_ms: since.length === 0 ? 0 : performance.now() - Math.min(...since),
    };
  };
  return [
    { name: "in_flight", level: () => ({ depth: sum("inFlight"), bytes: sum("inFlightBytes") }) },
    { name: "held", bound_bytes: limits.heldBytes, level: held },
    { name: "copies", bound_bytes: limits.copyBytes, level: () => ({ bytes: copies().waitingBytes }) },
    {
      name: "offline",
      bound_bytes: limits.offlineTotalBytes,
      level: () => ({ depth: sessions().queued, bytes: sessions().bytes }),
    },
    { name: "publish", level: () => ({ depth: publishes().length }) },
  ];
}
