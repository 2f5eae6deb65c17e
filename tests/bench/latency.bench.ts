/*
 * PUBACK latency at 50,000 readings/s, with the store healthy and with a store that takes nothing, in interleaved rounds. Messages are sent by
 * the clock, and latency counts from when each was due. The stalled InfluxDB is a real influxd under SIGSTOP, which accepts connections and
 * never answers; the stalled DuckDB stands on a full disk (a small tmpfs, so for root only).
 *
 *     node tests/bench/latency.bench.ts [--rounds 2] [--seconds 10] [--json]
 */
import { mkdirSync, rmSync, symlinkSync, writeSync, openSync, closeSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Totals } from "#api/schemas.ts";
import { makeGateways } from "#cli/bench/ingest.ts";
import type { LatencySummary } from "#cli/bench/latencies.ts";
import { type MeasuredPlatform, startPlatform } from "#cli/bench/measured-platform.ts";
import { runChild } from "#cli/bench/run-child.ts";
import { startInfluxd } from "../support/influxd.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";
import { tempFolder } from "../support/temp-folder.ts";
import type { BenchDocument, BenchFigure, BenchRow } from "./result.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "2" },
    seconds: { type: "string", default: "10" },
    json: { type: "boolean", default: false },
  },
});

const rate = 50_000;
const batch = 100;
const seriesPerGateway = 1_200;
const gateways = 4;
const { signal } = new AbortController();
const startTime = Date.now() - 8 * 3_600_000;

interface Latencies {
  readonly healthy: LatencySummary;
  readonly stalled: LatencySummary;
}

/** A platform with gateways that send at the rate; each load is of readings that are new. */
async function openLoad(
  folder: string,
  args: readonly string[],
): Promise<{ platform: MeasuredPlatform; load: () => Promise<LatencySummary>; acknowledged: () => number }> {
  const loads = await makeGateways(join(folder, "data"), gateways);
  const platform = await startPlatform(folder, args);
  let acknowledged = 0;
  let begun = 0;
  const load = async (): Promise<LatencySummary> => {
    const result = await runChild(
      "load",
      {
        ...platform.mqtt,
        gateways: loads,
        seriesPerGateway,
        batch,
        rate,
        seconds: Number(values.seconds),
        maxReadings: Number.MAX_SAFE_INTEGER,
        startTime: startTime + begun++ * 3_600_000,
      },
      signal,
    );
    acknowledged += result.met + result.acknowledged;
    return result.latency_ms!;
  };
  return { platform, load, acknowledged: () => acknowledged };
}

/** While `work` is under way the store must take nothing: all that is acknowledged meanwhile is still in the journal at its end. */
async function whileStalled<T>(platform: MeasuredPlatform, work: () => Promise<T>): Promise<T> {
  const before = (await platform.client.get("/api/v1/totals", Totals)).stored;
  const done = await work();
  const { stored, journal } = await platform.client.get("/api/v1/totals", Totals);
  if (stored - before > rate)
    throw new Error(`the store was not stalled: it took ${stored - before} readings`);
  if (journal < (rate * Number(values.seconds)) / 2)
    throw new Error(`only ${journal} readings wait for the store`);
  return done;
}

async function expectAllStored(platform: MeasuredPlatform, acknowledged: number): Promise<void> {
  await platform.allStored(signal);
  const { stored } = await platform.client.get("/api/v1/totals", Totals);
  if (stored !== acknowledged)
    throw new Error(`${acknowledged} readings were acknowledged, ${stored} stored`);
}

async function measureInflux(): Promise<Latencies> {
  using folder = tempFolder("latency");
  await using influxd = await startInfluxd({ folder: folder.path });
  await influxd.query(`CREATE DATABASE "bench"`);
  const args = ["--store", "influxdb", "--influx-url", influxd.url, "--influx-db", "bench"];
  const { platform, load, acknowledged } = await openLoad(folder.path, args);
  try {
    const healthy = await load();
    await platform.allStored(signal);
    await influxd.pause();
    const stalled = await whileStalled(platform, load);
    influxd.resume();
    await expectAllStored(platform, acknowledged());
    return { healthy, stalled };
  } finally {
    influxd.resume();
    await platform.end("SIGTERM");
  }
}

async function measureDuckDb(): Promise<Latencies> {
  return { healthy: await healthyDuckDb(), stalled: await stalledDuckDb() };
}

/** Journal and store on one disk. */
async function healthyDuckDb(): Promise<LatencySummary> {
  using folder = tempFolder("latency");
  const { platform, load, acknowledged } = await openLoad(folder.path, []);
  try {
    const latency = await load();
    await expectAllStored(platform, acknowledged());
    return latency;
  } finally {
    await platform.end("SIGTERM");
  }
}

/** The journal on the same disk as ever, the store on one that is full. */
async function stalledDuckDb(): Promise<LatencySummary> {
  using folder = tempFolder("latency");
  using disk = smallDisk("latency-store", 512);
  mkdirSync(join(folder.path, "data"));
  symlinkSync(disk.path, join(folder.path, "data", "store"));
  const { platform, load, acknowledged } = await openLoad(folder.path, []);
  const filler = join(disk.path, "filler");
  try {
    await load();
    await platform.allStored(signal);
    fill(filler);
    const latency = await whileStalled(platform, load);
    rmSync(filler);
    await expectAllStored(platform, acknowledged());
    return latency;
  } finally {
    rmSync(filler, { force: true });
    await platform.end("SIGTERM");
  }
}

function fill(file: string): void {
  const opened = openSync(file, "w");
  try {
    for (let chunk = 1024 * 1024; chunk >= 512;) {
      try {
        writeSync(opened, new Uint8Array(chunk));
      } catch {
        chunk /= 2;
      }
    }
  } finally {
    closeSync(opened);
  }
}

const stores = [
  {
    id: "latency-duckdb",
    title: "PUBACK latency at 50,000 readings/s, DuckDB",
    measure: measureDuckDb,
    usable: canMount(),
  },
  {
    id: "latency-influxdb",
    title: "PUBACK latency at 50,000 readings/s, InfluxDB",
    measure: measureInflux,
    usable: true,
  },
].filter(({ usable }) => usable);
const measured = stores.map((store) => ({ ...store, rounds: new Array<Latencies>() }));
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const { title, measure, rounds } of measured) {
    const latencies = await measure();
    rounds.push(latencies);
    const { healthy, stalled } = latencies;
    console.error(
      `round ${round}, ${title}: p50 ${healthy.p50.toFixed(1)} ms, p99 ${healthy.p99.toFixed(1)} ms; stalled p50 ${stalled.p50.toFixed(1)} ms, p99 ${stalled.p99.toFixed(1)} ms`,
    );
  }
}

function row({ id, title, rounds }: (typeof measured)[number]): BenchRow {
  const figure = (
    name: string,
    read: (latencies: Latencies) => number,
    rest: Pick<BenchFigure, "aim"> & { unit?: string } = {},
  ): BenchFigure => ({ name, unit: "ms", better: "lower", values: rounds.map(read), ...rest });
  return {
    id,
    title,
    figures: [
      figure("median", ({ healthy }) => healthy.p50, { aim: { atMost: 5 } }),
      figure("99 %", ({ healthy }) => healthy.p99, { aim: { atMost: 40 } }),
      figure("longest", ({ healthy }) => healthy.max),
      figure("median, store stalled", ({ stalled }) => stalled.p50),
      figure("99 %, store stalled", ({ stalled }) => stalled.p99),
      figure("median, stalled / healthy", ({ healthy, stalled }) => stalled.p50 / healthy.p50, {
        unit: "",
        aim: { atMost: 1.5 },
      }),
      figure("99 %, stalled / healthy", ({ healthy, stalled }) => stalled.p99 / healthy.p99, {
        unit: "",
        aim: { atMost: 1.5 },
      }),
    ],
    note:
      "100 readings a message from four gateways, by the clock, latency from when a message was due. Journal and healthy store are on one disk. " +
      "Stalled: an influxd under SIGSTOP, a DuckDB on a full disk; all of it is stored afterwards.",
  };
}

const document: BenchDocument = { rows: measured.map(row) };
if (values.json) process.stdout.write(`${JSON.stringify(document)}\n`);
else console.dir(document, { depth: null });
