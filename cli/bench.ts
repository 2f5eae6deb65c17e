import { Command, InvalidArgumentError, Option } from "commander";
import { benchIngest, type IngestBenchResult } from "./bench/ingest.ts";
import { jsonOption } from "./client.ts";
import { printJson } from "./output.ts";

interface IngestOptions {
  readonly store: "duckdb";
  readonly batch: number;
  readonly seconds: number;
  readonly series: number;
  readonly json: boolean;
}

/** `marsad bench …`: what Marsad costs on this machine, measured against real processes. */
export function benchCommand(): Command {
  return new Command("bench")
    .description("Measures what Marsad costs on this machine, against real processes in a temporary folder.")
    .addCommand(ingestCommand());
}

function ingestCommand(): Command {
  return new Command("ingest")
    .description(
      "Loads a platform over loopback as fast as it acknowledges, and the bare store with the same readings before and after. " +
        "CPU is user and system time in seconds per million readings.",
    )
    .addOption(new Option("--store <kind>", "where readings are kept").choices(["duckdb"]).default("duckdb"))
    .addOption(new Option("--batch <n>", "readings a message").argParser(between(1, 1_000)).default(100))
    .addOption(new Option("--seconds <n>", "how long to publish").argParser(between(1, 600)).default(10))
    .addOption(
      new Option("--series <n>", "series, over all gateways").argParser(between(4, 1_000_000)).default(5_000),
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
    `CPU-s per million: platform ${cpu.platform.toFixed(2)}, load generator ${cpu.load.toFixed(2)}, bare ${result.store} ${result.raw_cpu_s_per_million.toFixed(2)} (${Math.round(result.raw_readings_per_s).toLocaleString("en")} readings/s)`,
    `acknowledged ${result.acknowledged}, stored ${result.stored}, lost ${result.lost}, duplicated ${result.duplicated}`,
    "",
  ].join("\n");
}

function between(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It is a whole number from ${low} to ${high}.`);
  };
}
