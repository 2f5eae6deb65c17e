import { Counter, Gauge, type Registry } from "prom-client";
import { type ObservedQueue, observeQueues } from "#runtime/queue-metrics.ts";

/** What the hot path counts: plain numbers, read when metrics are asked for (a labelled counter costs more than a frame). */
export interface BrokerCounts {
  connections: number;
  uplinkMessages: number;
  uplinkBytes: number;
  pubacks: number;
  /** Messages taken over from a client, or held for it, whose connection ended before their PUBACK; QoS 1 comes again. */
  unacknowledged: number;
  pausedSessions: number;
  copies: number;
  copiesDropped: number;
  subscriberMessagesDropped: number;
  retainedRefused: number;
  offlineDropped: number;
  deniedSubscriptions: number;
}

export interface BrokerMetrics {
  readonly counts: BrokerCounts;
  /** One more connection refused or closed for `reason`. */
  refused(reason: string): void;
}

/** Levels that are read when metrics are asked for. */
export interface BrokerLevels {
  readonly queues: readonly ObservedQueue[];
  readonly retainedMessages: () => number;
  readonly retainedBytes: () => number;
}

/** Registers the broker's metrics, `marsad_broker_…`, once per registry. */
export function registerMetrics(registry: Registry, levels: BrokerLevels): BrokerMetrics {
  const counts: BrokerCounts = {
    connections: 0,
    uplinkMessages: 0,
    uplinkBytes: 0,
    pubacks: 0,
    unacknowledged: 0,
    pausedSessions: 0,
    copies: 0,
    copiesDropped: 0,
    subscriberMessagesDropped: 0,
    retainedRefused: 0,
    offlineDropped: 0,
    deniedSubscriptions: 0,
  };

  const counter = (name: string, help: string, key: keyof BrokerCounts): void => {
    let reported = 0;
    registry.registerMetric(
      new Counter({
        name: `marsad_broker_${name}_total`,
        help,
        registers: [],
        collect() {
          this.inc(counts[key] - reported);
          reported = counts[key];
        },
      }),
    );
  };
  const gauge = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(
      new Gauge({
        name: `marsad_broker_${name}`,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  };

  gauge("connections", "Open TCP connections.", () => counts.connections);
  gauge(
    "paused_sessions",
    "Connections not read because of messages in flight.",
    () => counts.pausedSessions,
  );
  gauge("retained_messages", "Retained messages.", levels.retainedMessages);
  gauge("retained_bytes", "Topic and payload bytes of retained messages.", levels.retainedBytes);
  observeQueues(registry, "broker", "messages", levels.queues);
  counter("uplink_messages", "Publishes taken on the uplink fast path.", "uplinkMessages");
  counter("uplink_bytes", "Frame bytes of those.", "uplinkBytes");
  counter("pubacks", "PUBACKs sent for the uplink.", "pubacks");
  counter("unacknowledged_messages", "Uplink messages whose connection ended first.", "unacknowledged");
  counter("copies", "Copies of the uplink sent to subscribers.", "copies");
  counter("copies_dropped", "Copies dropped: a slow subscriber, or the bound on bytes.", "copiesDropped");
  counter(
    "subscriber_messages_dropped",
    "QoS 0 messages dropped for slow subscribers.",
    "subscriberMessagesDropped",
  );
  counter("retained_refused", "Messages not retained: the bound is reached.", "retainedRefused");
  counter(
    "offline_dropped",
    "Messages not queued for absent sessions: the bound is reached.",
    "offlineDropped",
  );
  counter("subscriptions_denied", "Filters answered with SUBACK 0x80.", "deniedSubscriptions");

  const refusals = new Counter({
    name: "marsad_broker_refused_connections_total",
    help: "Connections refused or closed by the broker, by reason.",
    labelNames: ["reason"],
    registers: [registry],
  });
  return { counts, refused: (reason) => refusals.inc({ reason }) };
}
