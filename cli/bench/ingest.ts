import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addGateway } from "#broker/identities.ts";
import { MarsadError } from "#runtime/errors.ts";
import { openLog } from "#runtime/log.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { Totals } from "#api/schemas.ts";
import { openClient, type Client } from "../client.ts";
import type { LoadGateway } from "./load-generator.ts";
import { runChild } from "./run-child.ts";

export interface IngestBenchOptions {
  readonly store: "duckdb";
  /** Readings a message. */
  readonly batch: number;
  readonly seconds: number;
  readonly series: number;
  readonly signal: AbortSignal;
}

/** What `marsad bench ingest` prints; CPU in user and system seconds. */
export interface IngestBenchResult {
  readonly store: string;
  readonly batch: number;
  readonly series: number;
  /** Readings acknowledged. */
  readonly readings: number;
  /** From the first publish to the last PUBACK. */
  readonly seconds: number;
  readonly readings_per_s: number;
  /** `platform` until all is in the store. */
  readonly cpu_s_per_million: { readonly platform: number; readonly load: number };
  readonly raw_cpu_s_per_million: number;
  readonly raw_readings_per_s: number;
  readonly acknowledged: number;
  readonly stored: number;
  readonly lost: number;
  readonly duplicated: number;
}

const gateways = 4;
/** A run ends by time or by this many readings. */
const maxReadings = 50_000_000;
/** About what the writer gives the store at a time under load. */
const rawBatch = 20_000;
const rawReadings = 2_000_000;

/** Starts a platform in a temp folder, loads it over loopback as fast as it acknowledges, and checks what the store then holds. */
export async function benchIngest(options: IngestBenchOptions): Promise<IngestBenchResult> {
  const { batch, seconds, signal, store } = options;
  const folder = await mkdtemp(join(tmpdir(), "marsad-bench-"));
  try {
    const loads = await makeGateways(join(folder, "data"));
    const seriesPerGateway = Math.max(batch, Math.floor(options.series / gateways / batch) * batch);
    const startTime = Date.now() - 3_600_000;
    const before = await runChild("raw", rawOptions(folder, "before", options.series, startTime), signal);
    const run = await loadPlatform({ folder, loads, seriesPerGateway, batch, seconds, startTime, signal });
    const after = await runChild("raw", rawOptions(folder, "after", options.series, startTime), signal);
    const { acknowledged } = run.load;
    return {
      store,
      batch,
      series: seriesPerGateway * gateways,
      readings: acknowledged,
      seconds: run.load.seconds,
      readings_per_s: acknowledged / run.load.seconds,
      cpu_s_per_million: {
        platform: run.platformCpu / (acknowledged / 1e6),
        load: run.load.cpuSeconds / (acknowledged / 1e6),
      },
      raw_cpu_s_per_million:
        (before.cpuSeconds + after.cpuSeconds) / ((before.readings + after.readings) / 1e6),
      raw_readings_per_s: (before.readings + after.readings) / (before.seconds + after.seconds),
      acknowledged,
      stored: run.stored,
      lost: Math.max(0, acknowledged - run.stored),
      duplicated: Math.max(0, run.stored - acknowledged),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function rawOptions(
  folder: string,
  name: string,
  series: number,
  startTime: number,
): Parameters<typeof runChild<"raw">>[1] {
  return { folder: join(folder, `raw-${name}`), readings: rawReadings, series, batch: rawBatch, startTime };
}

async function makeGateways(data: string): Promise<LoadGateway[]> {
  await using identities = await openRecordStore(join(data, "identities"));
  const loads: LoadGateway[] = [];
  for (let number = 1; number <= gateways; number++) {
    const gateway = `load-${number}`;
    const agency = "bench";
    loads.push({ gateway, agency, password: await addGateway(identities, { name: gateway, agency }) });
  }
  return loads;
}

async function loadPlatform(options: {
  folder: string;
  loads: readonly LoadGateway[];
  seriesPerGateway: number;
  batch: number;
  seconds: number;
  startTime: number;
  signal: AbortSignal;
}): Promise<{ load: Awaited<ReturnType<typeof runChild<"load">>>; platformCpu: number; stored: number }> {
  const { folder, loads, seriesPerGateway, batch, seconds, startTime, signal } = options;
  const { platform, mqtt, http } = await startPlatform(folder);
  try {
    const client = openClient(http);
    const [host = "", port = ""] = mqtt.split(":");
    const cpuBefore = await cpuSeconds(client);
    const load = await runChild(
      "load",
      { host, port: Number(port), gateways: loads, seriesPerGateway, batch, seconds, maxReadings, startTime },
      signal,
    );
    while ((await client.get("/api/v1/totals", Totals)).journal > 0) await sleep(100, undefined, { signal });
    const platformCpu = (await cpuSeconds(client)) - cpuBefore;
    await end(platform);
    return { load, platformCpu, stored: await countStored(folder) };
  } finally {
    await end(platform);
  }
}

async function startPlatform(
  folder: string,
): Promise<{ platform: ChildProcess; mqtt: string; http: string }> {
  const readyFile = join(folder, "ready.json");
  const marsad = new URL("../../marsad.ts", import.meta.url).pathname;
  const args = ["platform", "--data", join(folder, "data"), "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const platform = spawn(
    process.execPath,
    [marsad, ...args, "--ready-file", readyFile, "--log-level", "warn"],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  while (!existsSync(readyFile)) {
    if (platform.exitCode !== null)
      throw new MarsadError("UNREACHABLE", "the platform to be measured did not start");
    await sleep(50);
  }
  return { platform, ...(JSON.parse(readFileSync(readyFile, "utf8")) as { mqtt: string; http: string }) };
}

async function end(platform: ChildProcess): Promise<void> {
  if (platform.exitCode !== null || platform.signalCode !== null) return;
  const exit = once(platform, "exit");
  platform.kill("SIGTERM");
  await exit;
}

/** Rows, counted by the store itself once the platform has left it. */
async function countStored(folder: string): Promise<number> {
  const log = openLog({ name: "bench", level: "warn" });
  await using store = await openDuckDbStore({ path: join(folder, "data", "store"), log });
  return await store.count();
}

async function cpuSeconds(client: Client): Promise<number> {
  const metrics = await (await fetch(`${client.url}/metrics`)).text();
  const line = /^process_cpu_seconds_total (\S+)/m.exec(metrics);
  return Number(line?.[1]);
}
