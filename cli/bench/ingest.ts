import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addGateway } from "#broker/identities.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { duckDbUnderTest } from "./duckdb-under-test.ts";
import { influxDbUnderTest } from "./influxdb-under-test.ts";
import type { LatencySummary } from "./latencies.ts";
import { type LoadGateway, sensorsOf } from "./load-connection.ts";
import type { LoadPhase, LoadResult } from "./load-generator.ts";
import { type MeasuredPlatform, type MemoryUse, startPlatform } from "./measured-platform.ts";
import { benchPeers, expectPeers, type PeerResult } from "./peers.ts";
import { runChild } from "./run-child.ts";
import type { RawLoad, StoreUnderTest } from "./store-under-test.ts";

export interface IngestBenchOptions {
  readonly store: keyof typeof stores;
  /** Readings a message. */
  readonly batch: number;
  readonly seconds: number;
  /** A run ends by time or by so many; undefined: what the store is measured with. */
  readonly readings?: number | undefined;
  readonly series: number;
  readonly gateways: number;
  /** Readings a second by the clock; undefined: as many as are acknowledged. */
  readonly rate?: number | undefined;
  /** Kill the platform at the end and start it again. */
  readonly restart: boolean;
  /** Measure other pipelines, too. */
  readonly peers: boolean;
  readonly signal: AbortSignal;
}

/** What `marsad bench ingest` prints; CPU in user and system seconds. */
export interface IngestBenchResult {
  readonly store: string;
  readonly batch: number;
  readonly series: number;
  /** Readings acknowledged while it was measured: not the first one of each series. */
  readonly readings: number;
  /** From the first publish to the last PUBACK. */
  readonly seconds: number;
  readonly readings_per_s: number;
  /** `platform` and `store`, where that is a process of its own, until all is in the store. */
  readonly cpu_s_per_million: { readonly platform: number; readonly store?: number; readonly load: number };
  /** CPU seconds of the platform a second, until all is in the store. */
  readonly platform_cores: number;
  readonly raw_cpu_s_per_million: number;
  readonly raw_readings_per_s: number;
  /** What it took to register the sensors and to meet each series for the first time. */
  readonly beginning: { readonly births: number; readonly platform_cpu_s: number };
  /** `started`: before the first sensor. `met`: each series has been met. `loaded`: at the end. Undefined where the system does not say. */
  readonly memory?: {
    readonly started: MemoryUse;
    readonly met: MemoryUse;
    readonly loaded: MemoryUse;
  };
  /** From when a message was due until its PUBACK, at a fixed rate. */
  readonly latency_ms?: LatencySummary;
  /** After `kill -9`. */
  readonly restart?: { readonly ready_s: number; readonly cpu_s: number; readonly memory?: MemoryUse };
  readonly acknowledged: number;
  readonly stored: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly peers?: readonly PeerResult[];
}

const stores = { duckdb: duckDbUnderTest, influxdb: influxDbUnderTest } as const;
export const storeKinds = Object.keys(stores) as (keyof typeof stores)[];
const agency = "bench";

/** Starts a platform in a temp folder, loads it over loopback, and checks what the store then holds. */
export async function benchIngest(options: IngestBenchOptions): Promise<IngestBenchResult> {
  const { batch, gateways, series, signal, store } = options;
  if (options.peers) expectPeers();
  const folder = await mkdtemp(join(tmpdir(), "marsad-bench-"));
  try {
    const loads = await makeGateways(join(folder, "data"), gateways);
    const seriesPerGateway = Math.max(batch, Math.floor(series / gateways / batch) * batch);
    // Each round of the series is one second of event time, and none may be of the future.
    const under = stores[store]();
    const maxReadings = options.readings ?? under.mostReadings;
    const rounds = Math.ceil(maxReadings / (seriesPerGateway * gateways));
    const startTime = Date.now() - 1_000 * Math.max(3_600, rounds);
    const raw: Omit<RawLoad, "folder"> = {
      readings: under.rawReadings(maxReadings),
      sensors: loads.map(({ gateway }) => sensorsOf(gateway, seriesPerGateway)),
      agency,
      batch,
      startTime,
    };
    const before = await under.raw({ ...raw, folder: join(folder, "raw-before") }, signal);
    const run = await measure({ ...options, under, maxReadings, folder, loads, seriesPerGateway, startTime });
    const peers = options.peers ? await benchPeers(signal) : undefined;
    const after = await under.raw({ ...raw, folder: join(folder, "raw-after") }, signal);
    const readings = run.load.acknowledged;
    const acknowledged = readings + run.load.met;
    return {
      store,
      batch,
      series: seriesPerGateway * gateways,
      readings,
      seconds: run.load.seconds,
      readings_per_s: readings / run.load.seconds,
      cpu_s_per_million: {
        platform: run.cpu / (readings / 1e6),
        ...(run.storeCpu !== undefined && { store: run.storeCpu / (readings / 1e6) }),
        load: run.load.cpuSeconds / (readings / 1e6),
      },
      platform_cores: run.cpu / run.storedSeconds,
      raw_cpu_s_per_million:
        (before.cpuSeconds + after.cpuSeconds) / ((before.readings + after.readings) / 1e6),
      raw_readings_per_s: (before.readings + after.readings) / (before.seconds + after.seconds),
      beginning: { births: run.load.births, platform_cpu_s: run.beginningCpu },
      ...(run.memory && { memory: run.memory }),
      ...(run.load.latency_ms && { latency_ms: run.load.latency_ms }),
      ...(run.restart && { restart: run.restart }),
      acknowledged,
      stored: run.stored,
      lost: Math.max(0, acknowledged - run.stored),
      duplicated: Math.max(0, run.stored - acknowledged),
      ...(peers && { peers }),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Lets gateways connect to the platform whose data are in `data`. */
export async function makeGateways(data: string, count: number): Promise<LoadGateway[]> {
  await using identities = await openRecordStore(join(data, "identities"));
  const loads: LoadGateway[] = [];
  for (let number = 1; number <= count; number++) {
    const gateway = `load-${number}`;
    loads.push({ gateway, agency, password: await addGateway(identities, { name: gateway, agency }) });
  }
  return loads;
}

interface Measured {
  readonly load: LoadResult;
  /** Seconds, until all was stored. */
  readonly cpu: number;
  readonly storeCpu: number | undefined;
  readonly storedSeconds: number;
  readonly beginningCpu: number;
  readonly memory: IngestBenchResult["memory"];
  readonly restart: IngestBenchResult["restart"];
  readonly stored: number;
}

async function measure(
  options: IngestBenchOptions & {
    readonly under: StoreUnderTest;
    readonly maxReadings: number;
    readonly folder: string;
    readonly loads: readonly LoadGateway[];
    readonly seriesPerGateway: number;
    readonly startTime: number;
  },
): Promise<Measured> {
  const { folder, loads, seriesPerGateway, batch, rate, seconds, maxReadings, startTime, signal, under } =
    options;
  await using store = await under.open(folder);
  const settings = ["--sensors-per-gateway", String(Math.max(10_000, seriesPerGateway)), ...store.args];
  let platform = await startPlatform(folder, settings);
  try {
    const { host, port } = platform.mqtt;
    const started = { cpu: await platform.cpuSeconds(), memory: platform.memory() };
    let met = { ...started, at: 0, storeCpu: await store.cpuSeconds() };
    const load = await runChild(
      "load",
      {
        host,
        port,
        gateways: loads,
        seriesPerGateway,
        batch,
        rate,
        seconds,
        maxReadings,
        startTime,
      },
      signal,
      async (phase) => {
        if (phase !== ("met" satisfies LoadPhase)) return;
        await platform.allStored(signal);
        const storeCpu = await store.cpuSeconds();
        met = {
          cpu: await platform.cpuSeconds(),
          memory: platform.memory(),
          at: performance.now(),
          storeCpu,
        };
      },
    );
    await platform.allStored(signal);
    const storedSeconds = (performance.now() - met.at) / 1_000;
    const cpu = (await platform.cpuSeconds()) - met.cpu;
    const storeEnd = await store.cpuSeconds();
    const storeCpu =
      storeEnd === undefined || met.storeCpu === undefined ? undefined : storeEnd - met.storeCpu;
    const loaded = platform.memory();
    const memory =
      started.memory && met.memory && loaded
        ? { started: started.memory, met: met.memory, loaded }
        : undefined;
    let restart: Measured["restart"];
    if (options.restart) {
      await platform.end("SIGKILL");
      platform = await startPlatform(folder, settings);
      restart = await restarted(platform);
    }
    await platform.end("SIGTERM");
    const beginningCpu = met.cpu - started.cpu;
    return { load, cpu, storeCpu, storedSeconds, beginningCpu, memory, restart, stored: await store.count() };
  } finally {
    await platform.end("SIGTERM");
  }
}

async function restarted(platform: MeasuredPlatform): Promise<NonNullable<Measured["restart"]>> {
  const memory = platform.memory();
  return {
    ready_s: platform.readySeconds,
    cpu_s: await platform.cpuSeconds(),
    ...(memory && { memory }),
  };
}
