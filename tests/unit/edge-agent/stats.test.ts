import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { diskFree, healthLine } from "#edge-agent/health.ts";
import { type EdgeAgentStats, reportStats } from "#edge-agent/stats.ts";

const stats: EdgeAgentStats = {
  received: 12,
  duplicates: 1,
  withinBand: 0,
  averaged: 4,
  averages: 3,
  batched: 10,
  acknowledged: 7,
  backlog: 3,
  backlogBytes: 4096,
  resentBatches: 1,
  droppedUdp: 0,
  rejectedLines: 2,
  refused: 0,
  connected: true,
  clockSkew: undefined,
  reads: 100,
  readFailures: 4,
  silentDevices: 1,
};

test("several agents show their counts in one registry, each under its gateway, until it is closed", async () => {
  const registry = new Registry();
  const first = reportStats(registry, "corniche-1", () => stats);
  reportStats(registry, "corniche-2", () => ({ ...stats, received: 5, connected: false, clockSkew: -1.5 }));
  const both = await registry.metrics();
  expect(both).toContain('marsad_edge_agent_received_readings_total{gateway="corniche-1"} 12');
  expect(both).toContain('marsad_edge_agent_received_readings_total{gateway="corniche-2"} 5');
  expect(both).toContain('marsad_edge_agent_backlog_readings{gateway="corniche-1"} 3');
  expect(both).toContain('marsad_edge_agent_connected{gateway="corniche-2"} 0');
  expect(both).toContain('marsad_edge_agent_clock_skew_seconds{gateway="corniche-2"} -1.5');
  expect(both).not.toContain('marsad_edge_agent_clock_skew_seconds{gateway="corniche-1"}');
  expect(both).toContain('marsad_edge_agent_device_read_failures_total{gateway="corniche-1"} 4');
  expect(both).toContain('marsad_edge_agent_silent_devices{gateway="corniche-1"} 1');
  first();
  expect(await registry.metrics()).not.toContain("corniche-1");
});

test("the gateway's own reading leaves out what the system does not tell", async () => {
  expect(
    healthLine("corniche-1", { backlog: 3, resent: 0, diskFree: 41.256, skew: -1234.4, silent: 2 }),
  ).toBe(
    "gateway_health,sensor=corniche-1 backlog=3,resent=0,clock_skew=-1.234,disk_free=41.26,silent_devices=2\n",
  );
  const untold = { diskFree: undefined, skew: undefined, silent: undefined };
  expect(healthLine("corniche-1", { backlog: 3, resent: 0, ...untold })).toBe(
    "gateway_health,sensor=corniche-1 backlog=3,resent=0\n",
  );
  expect(await diskFree("/nowhere/at/all")).toBeUndefined();
  expect(await diskFree(".")).toBeGreaterThanOrEqual(0);
});
