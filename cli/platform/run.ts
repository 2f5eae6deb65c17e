import { join } from "node:path";
import { openAccounts } from "#api/access/accounts.ts";
import { openApi } from "#api/api.ts";
import type { Authorize } from "#broker/acl.ts";
import { openBroker } from "#broker/broker.ts";
import { createAuthenticator, listGateways, watchGateways } from "#broker/identities.ts";
import { openIngest } from "#ingest/ingest.ts";
import { openRegistry } from "#ingest/registry/registry.ts";
import type { Downlink } from "#ingest/source.ts";
import { formatAddress, parseAddress } from "#runtime/address.ts";
import { openDataLock } from "#runtime/data-lock.ts";
import type { OnReload } from "#runtime/lifecycle.ts";
import { type Log, oncePer } from "#runtime/log.ts";
import { openMetrics } from "#runtime/metrics.ts";
import { openPasswordVerifier } from "#runtime/password-verifier.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";
import { expectStore, readDataFormat, writeDataFormat } from "#store/format.ts";
import { migrateDataFolder } from "#store/migrate.ts";
import { topics } from "#telemetry/topic.ts";
import type { PlatformConfig } from "./config.ts";
import { Holds } from "./holds.ts";
import { type GatewayTalk, openGatewayTalk } from "./gateway-talk.ts";
import { startPlatformJobs } from "./jobs.ts";
import { LiveCatalogue } from "./live-catalogue.ts";
import { platformPort } from "./port.ts";
import { selfSnapshot } from "./self-snapshot.ts";
import { openStore } from "./store.ts";
import { PlatformTls, refuseOpenAddress, tlsFiles } from "./tls.ts";

export interface PlatformProgram {
  readonly signal: AbortSignal;
  /** SIGHUP: files are to be read again. */
  readonly onReload: OnReload;
  readonly log: Log;
  readonly version: string;
  /** What gateways may do besides sending; `authorizeGateway` when absent. */
  readonly authorize?: Authorize;
}

/**
 * The platform in one process: broker, ingest, store and API, put together. Runs until the signal; then stops taking, keeps
 * what was taken, and closes in order.
 * @throws MarsadError: CONFIG_INVALID, DATA_LOCKED, ADDRESS_IN_USE, STORE_…, QUEUE_…
 */
export async function runPlatform(
  config: PlatformConfig,
  { signal, onReload, log, version, authorize }: PlatformProgram,
): Promise<void> {
  const mqtt = parseAddress(config.mqtt);
  const http = parseAddress(config.http);
  const files = tlsFiles(config);
  const encrypted = { tls: files !== undefined, behindProxy: config.behind_proxy };
  for (const { host } of [mqtt, http]) refuseOpenAddress(host, encrypted);
  const folder = (...path: string[]): string => join(config.data, ...path);

  using _lock = await openDataLock(config.data);
  const migrated = await migrateDataFolder(config.data);
  if (migrated !== undefined) {
    const kept = folder(`format-${migrated}.bak`);
    log.info(
      { data: config.data, format: migrated, kept },
      "The data folder was brought to this version's format.",
    );
  }
  const format = await readDataFormat(config.data);
  expectStore(config.data, format, config.store);
  const catalogue = await LiveCatalogue.open(folder("catalogue.d"), log.child({ part: "catalogue" }));
  const metrics = openMetrics();
  const tls = files && (await PlatformTls.open(files, { log: log.child({ part: "tls" }), metrics }));
  await using identities = await openRecordStore(folder("identities"));
  // One for MQTT and HTTP, so that passwords take one core at most.
  const verifier = openPasswordVerifier();
  await using registry = await openRegistry({
    path: folder("registry"),
    limits: { sensorsPerGateway: config.sensors_per_gateway },
    log: log.child({ part: "registry" }),
    metrics,
  });
  await using store = await openStore(config, {
    path: folder("store"),
    registry,
    log: log.child({ part: "store" }),
    metrics,
  });
  // Ingest speaks before the broker listens; nothing can be told until then, nor anybody told it.
  let downlink: Downlink | undefined;
  await using ingest = await openIngest({
    path: folder("journal"),
    catalogue: catalogue.current,
    registry,
    store,
    limits: config,
    downlink: (gateway, channel, payload) => downlink?.(gateway, channel, payload),
    log: log.child({ part: "ingest" }),
    metrics,
  });
  if (format?.journal !== ingest.journal) {
    if (format)
      log.warn(
        { was: format.journal, is: ingest.journal },
        "The data folder has another journal than before.",
      );
    await writeDataFormat(config.data, { version, journal: ingest.journal, store: store.kind });
  }
  await using _holds = new Holds({ data: config.data, ingest, store, log: log.child({ part: "backup" }) });
  let gatewayTalk: GatewayTalk | undefined;
  const authenticate = createAuthenticator(identities, verifier);
  await using broker = await openBroker({
    listen: mqtt,
    tls: tls?.shown,
    authenticate,
    ...(authorize && { authorize }),
    onUplink: ingest.accept,
    onStatus: (gateway, payload) => gatewayTalk?.heard(gateway, payload),
    log: log.child({ part: "broker" }),
    metrics,
  });
  const untold = oncePer();
  downlink = (gateway, channel, payload) => {
    broker.publish(topics(gateway.agency, gateway.name).down[channel], payload).catch((error: unknown) => {
      const held = untold(gateway.name);
      if (held !== undefined)
        log.warn({ err: error, gateway: gateway.name, held }, "A gateway could not be told.");
    });
  };
  using talk = openGatewayTalk({
    broker,
    records: identities,
    interval_ms: config.time_interval_s * 1000,
    log: log.child({ part: "gateways" }),
  });
  gatewayTalk = talk;
  watchGateways(identities, (name) => broker.disconnect(name), { signal });
  const port = platformPort({
    admitted: () => listGateways(identities),
    authenticate,
    catalogue: () => catalogue.current,
    broker,
    ingest,
    registry,
    store,
    jobs: () => jobs.status(),
  });
  await using jobs = startPlatformJobs(config, {
    store,
    ingest,
    registry,
    catalogue: () => catalogue.current,
    itself: () => selfSnapshot(port, metrics),
    log: log.child({ part: "jobs" }),
    metrics,
  });
  await using api = await openApi({
    listen: http,
    tls: tls?.shown,
    behindProxy: config.behind_proxy,
    accounts: openAccounts({ records: identities, verifier, log: log.child({ part: "api" }) }),
    port,
    metrics,
    log: log.child({ part: "api" }),
    version,
  });

  const addresses = { mqtt: formatAddress(broker.address), http: api.address };
  if (config.ready_file !== undefined)
    await writeFileAtomically(config.ready_file, `${JSON.stringify(addresses)}\n`);
  log.info({ ...addresses, data: config.data }, "The platform is ready.");
  // Identities need no signal: they are watched.
  onReload(async () => {
    log.info({}, "SIGHUP: certificate and catalogue.d are read again.");
    await catalogue.reload((measurements) => ingest.addMeasurements(measurements));
    const renewed = await tls?.reload();
    if (renewed === undefined) return;
    broker.setTls(renewed);
    api.setTls(renewed);
  });
  await Promise.race([ingest.failed, aborted(signal)]);
  log.info({}, "The platform is ending.");
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
