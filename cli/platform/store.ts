import type { Registry as Metrics } from "prom-client";
import type { Registry } from "#ingest/registry/registry.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import type { InfluxStoreOptions } from "#store/influxdb/index.ts";
import type { Store } from "#store/port.ts";
import type { PlatformConfig } from "./config.ts";
import { sensorTags } from "./sensor-tags.ts";

/**
 * The store that the configuration asks for; only its adapter is loaded.
 * @param path  The store's folder.
 * @throws MarsadError STORE_…, CONFIG_INVALID
 */
export async function openStore(
  config: PlatformConfig,
  { path, registry, log, metrics }: { path: string; registry: Registry; log: Log; metrics: Metrics },
): Promise<Store> {
  const tags: Pick<InfluxStoreOptions, "tagsOf" | "onTagsChanged"> = {
    tagsOf: sensorTags(registry),
    onTagsChanged: (listener) => registry.onChange((changed) => listener(changed)),
  };
  const queries = {
    time_ms: config.query_max_s * 1_000,
    rows: config.query_max_rows,
    values: config.query_max_values,
  };
  if (config.store === "duckdb") {
    const { openDuckDbStore } = await import("#store/duckdb/index.ts");
    return await openDuckDbStore({ path, ...tags, queries, log, metrics, closedDays: { now: Date.now } });
  }
  const { openInfluxStore } = await import("#store/influxdb/index.ts");
  if (config.influx_url === undefined) throw new MarsadError("CONFIG_INVALID", "influx_url is missing");
  return await openInfluxStore({
    path,
    url: config.influx_url,
    database: config.influx_db,
    policy: config.influx_rp,
    user: config.influx_user,
    password: config.influx_password,
    retentionDays: config.influx_retention_days,
    timeout: config.influx_timeout,
    ...tags,
    queries,
    log,
    metrics,
  });
}
