import type { Registry as Metrics } from "prom-client";
import { retentionJob } from "#analytics/jobs/retention-job.ts";
import { rollupJob } from "#analytics/jobs/rollup-job.ts";
import { type JobRunner, startJobs } from "#analytics/jobs/runner.ts";
import { selfReportJob } from "#analytics/self/job.ts";
import type { SelfSnapshot } from "#analytics/self/report.ts";
import type { Ingest } from "#ingest/ingest.ts";
import type { Registry } from "#ingest/registry/registry.ts";
import type { Log } from "#runtime/log.ts";
import type { Store } from "#store/port.ts";
import type { Policy } from "#store/query.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import { places } from "#telemetry/places.ts";
import { makeZone } from "#telemetry/zone.ts";
import type { PlatformConfig } from "./config.ts";
import { sensorRules } from "./sensor-rules.ts";

/** Readings that may wait for the store before roll-ups of history wait for it too. */
const lagging = 200_000;

export function startPlatformJobs(
  config: PlatformConfig,
  parts: {
    readonly store: Store;
    readonly ingest: Ingest;
    readonly registry: Registry;
    readonly catalogue: () => Catalogue;
    /** What the platform knows of itself at the moment. */
    readonly itself: () => Promise<SelfSnapshot>;
    readonly log: Log;
    readonly metrics: Metrics;
  },
): JobRunner {
  const { store, ingest, registry, catalogue, itself, log, metrics } = parts;
  const keptDays = keptDaysOf(config);
  const rollup = rollupJob({
    store,
    catalogue,
    zone: makeZone(places.city.zone),
    rulesOf: sensorRules(registry, (series) => ingest.seriesNumbered(series)),
    isBehind: () => ingest.totals().journal > lagging,
    keptDays,
    every_ms: config.rollup_interval_s * 1000,
    metrics,
  });
  const jobs = [rollup, retentionJob({ store, keptDays, log }), selfReportJob({ snapshot: itself, store })];
  return startJobs(jobs, { log, metrics });
}

function keptDaysOf(config: PlatformConfig): Partial<Record<Policy, number | undefined>> {
  const inInflux = config.store === "influxdb" ? config.influx_retention_days : undefined;
  const readings = Math.min(config.retention_days ?? Infinity, inInflux ?? Infinity);
  return {
    autogen: Number.isFinite(readings) ? readings : undefined,
    rollup_1m: config.rollup_1m_days,
    rollup_1h: config.rollup_1h_days,
    rollup_1d: config.rollup_1d_days,
  };
}
