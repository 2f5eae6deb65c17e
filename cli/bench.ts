import { Command, Option } from "commander";
import { benchIngest, type IngestBenchOptions, type IngestBenchResult, storeKinds } from "./bench/ingest.ts";
import type { PeerResult } from "./bench/peers.ts";
import { queryCommand } from "./bench/query-command.ts";
import { between } from "./bench/whole-number.ts";
import { jsonOption } from "./client.ts";
import { printJson } from "./output.ts";

interface IngestOptions {
  readonly store: IngestBenchOptions["store"];
  readonly batch: number;
  readonly seconds: number;
  readonly readings?: number;
  readonly series: number;
  readonly gateways: number;
  readonly rate?: number;
  readonly restart: boolean;
  readonly peers: boolean;
  readonly json: boolean;
}

/** `marsad bench …`: what Marsad costs on this machine, measured against real processes. */
export function benchCommand(): Command {
  return new Command("bench")
    .description("Measures what Marsad costs on this machine, against real processes in a temporary folder.")
    .addCommand(ingestCommand())
    .addCommand(queryCommand());
}

function ingestCommand(): Command {
  return new Command("ingest")
    .description(
      "Loads a platform over loopback as fast as it acknowledges, or at a rate, and the bare store with the same readings before and " +
        "after. Each series is met once before anything is measured. " +
        "CPU is user and system time in seconds per million readings.",
    )
    .addOption(new Option("--store <kind>", "where readings are kept").choices(storeKinds).default("duckdb"))
    .addOption(new Option("--batch <n>", "readings a message").argParser(between(1, 1_000)).default(100))
    .addOption(new Option("--seconds <n>", "how long to publish").argParser(between(1, 600)).default(10))
    .addOption(
      new Option("--series <n>", "series, over all gateways").argParser(between(4, 1_000_000)).default(5_000),
    )
    .addOption(new Option("--readings <n>", "an end before that time").argParser(between(1_000, 100_000_000)))
    .addOption(new Option("--gateways <n>", "connections").argParser(between(1, 1_000)).default(4))
    .addOption(
      new Option(
        "--rate <n>",
        "readings a second by the clock, over all gateways; PUBACK latency counts from when a message was due",
      ).argParser(between(1, 10_000_000)),
    )
    .addOption(
      new Option("--restart", "at the end kill the platform with SIGKILL and start it again").default(false),
    )
    .addOption(
      new Option(
        "--peers",
        "also measure the plain TypeScript pipeline into influxd; needs a checkout of the project",
      ).default(false),
    )
    .addOption(jsonOption())
    .action(async ({ json, ...options }: IngestOptions) => {
      const result = await benchIngest({ ...options, signal: new AbortController().signal });
      if (json) printJson(result);
      else process.stdout.write(describe(result));
    });
}

function describe(result: IngestBenchResult): string {
  const { cpu_s_per_million: cpu } = result;
  return [
    `${Math.round(result.readings_per_s).toLocaleString("en")} readings/s acknowledged, ${result.batch} a message, ${result.series} series, for ${result.seconds.toFixed(1)} s`,
    `CPU-s per million: platform ${cpu.platform.toFixed(2)}, ${cpu.store === undefined ? "" : `${result.store} ${cpu.store.toFixed(2)}, `}load generator ${cpu.load.toFixed(2)}, bare ${result.store} ${result.raw_cpu_s_per_million.toFixed(2)} (${Math.round(result.raw_readings_per_s).toLocaleString("en")} readings/s)`,
    ...describeLatency(result),
    ...describeMemory(result),
    ...(result.peers ?? []).map(describePeer),
    `acknowledged ${result.acknowledged}, stored ${result.stored}, lost ${result.lost}, duplicated ${result.duplicated}`,
    "",
  ].join("\n");
}

function describePeer({ name, batch, cpu_s_per_million: cpu, readings, stored }: PeerResult): string {
  const parts = [cpu.broker, cpu.ingest, cpu.influxd].map((part) => part.toFixed(1));
  return (
    `${name}, ${batch} a message: ${(cpu.broker + cpu.ingest + cpu.influxd).toFixed(1)} CPU-s per million (broker, ingest, influxd: ${parts.join(", ")}); ` +
    `${stored} of ${readings} stored`
  );
}

function describeLatency({ latency_ms: latency }: IngestBenchResult): string[] {
  if (!latency) return [];
  const [p50, p99, max] = [latency.p50, latency.p99, latency.max].map((value) => value.toFixed(1));
  return [`PUBACK after ${p50} ms (median), ${p99} ms (99 %), ${max} ms (longest)`];
}

function describeMemory({ memory, platform_cores, restart }: IngestBenchResult): string[] {
  return [
    `platform: ${(100 * platform_cores).toFixed(1)} % of a core` +
      (memory
        ? `, ${inMiB(memory.loaded.rss_anon_bytes)} of its own at the end (${inMiB(memory.started.rss_anon_bytes)} before the first sensor), ${inMiB(memory.loaded.rss_bytes)} resident`
        : ""),
    ...(restart ? [`ready ${restart.ready_s.toFixed(1)} s after kill -9`] : []),
  ];
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
