import { Registry } from "prom-client";
import { type BrokerCounts, registerMetrics } from "#broker/metrics.ts";

/** Counts of a broker that is not there. */
export function noCounts(): BrokerCounts {
  return registerMetrics(new Registry(), {
    queues: [],
    retainedMessages: zero,
    retainedBytes: zero,
  }).counts;
}

function zero(): number {
  return 0;
}
