import { Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { selfSnapshot } from "#cli/platform/self-snapshot.ts";
import { observeQueues } from "#runtime/queue-metrics.ts";

test("queues and durations are read from the metrics, summed over their labels", async () => {
  const metrics = new Registry();
  observeQueues(metrics, "ingest", "readings", [
    { name: "journal", bound_bytes: 1000, level: () => ({ bytes: 250 }) },
    { name: "commit", level: () => ({ bytes: 5 }) },
  ]);
  const requests = new Histogram({
    name: "marsad_api_request_duration_seconds",
    help: "-",
    labelNames: ["route"],
    buckets: [0.1, 1],
    registers: [metrics],
  });
  requests.observe({ route: "/a" }, 0.05);
  requests.observe({ route: "/b" }, 0.5);
  requests.observe({ route: "/b" }, 5);
  const totals = { received: 1, stored: 1, duplicate: 0, refused: 0, waiting: 0, journal: 0, missing: 0 };
  const snapshot = await selfSnapshot(
    { accounts: async () => [], totals: async () => ({ ...totals, gateways_connected: 0 }) },
    metrics,
  );
  expect(snapshot).toMatchObject({
    queues: [
      { name: "ingest journal", bytes: 250, bound_bytes: 1000 },
      { name: "ingest commit", bytes: 5, bound_bytes: undefined },
    ],
    durations: {
      http_request: { bounds: [0.1, 1, Infinity], counts: [1, 2, 3] },
      journal_commit: { bounds: [], counts: [] },
    },
  });
});
