import { Command, InvalidArgumentError, Option } from "commander";
import { cityOf } from "#firmware-sim/city.ts";
import { SimConfig } from "#firmware-sim/config.ts";
import { openLineSender } from "#firmware-sim/line-sender.ts";
import { parseMap, type ColumnMap } from "#firmware-sim/replay-map.ts";
import { replay, type ReplaySummary } from "#firmware-sim/replay.ts";
import { runSim, type Progress } from "#firmware-sim/run-sim.ts";
import { makeZone, type Zone } from "#firmware-sim/zone.ts";
import { parseAddress, type Address } from "#runtime/address.ts";
import { resolveConfig } from "#runtime/config.ts";
import { MarsadError } from "#runtime/errors.ts";
import { untilSignal } from "#runtime/lifecycle.ts";
import { logLevels, openLog, type Log, type LogLevel } from "#runtime/log.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import { places } from "#telemetry/places.ts";
import { jsonOption } from "./client.ts";
import { configOptions } from "./config-options.ts";
import { parseDuration } from "./duration.ts";
import { grouped, printJson } from "./output.ts";
import { loadCatalogue } from "./platform/catalogue.ts";

/** The options beside those made from `SimConfig`'s keys. */
interface SimOptions {
  readonly config?: string;
  readonly replay?: string;
  readonly map?: readonly string[];
  readonly time?: string;
  readonly tz: Zone;
  readonly intervalEnd: number;
  readonly rate?: number;
  readonly catalogue?: string;
  readonly json: boolean;
  readonly readyFile?: string;
  readonly logLevel: LogLevel;
}

/** `marsad sim`: a city of virtual sensors, or a recorded file, towards the agents' line inputs. */
export function simCommand(): Command {
  const command = new Command("sim").description(
    "Runs a city of virtual sensors that send lines to the agents on its gateways: first history, as fast as they take it, then " +
      "live. With --replay it plays a recorded file instead.",
  );
  return configOptions(command, SimConfig)
    .option("--replay <file>", "play this CSV file, with its event times")
    .option(
      "--map <measurement.field=column[@sensor]>",
      "a column of the file and what it is; may be repeated",
      gather,
    )
    .option("--time <column>", "the column with the event times (default: the first)")
    .addOption(
      new Option("--tz <zone>", "IANA zone of times without one")
        .argParser(parseZone)
        .default(makeZone("UTC"), "UTC"),
    )
    .addOption(
      new Option("--interval-end <duration>", "times name the end of an interval of this length, such as 1h")
        .argParser(parseLength)
        .default(0, "they name instants"),
    )
    .addOption(
      new Option("--rate <n>", "readings a second (default: as fast as they are taken)").argParser(parseRate),
    )
    .option("--catalogue <dir>", "the city's own measurements, *.yaml (default: none)")
    .addOption(jsonOption())
    .addOption(
      new Option("--log-level <level>", "what is logged, on stderr")
        .env("MARSAD_LOG_LEVEL")
        .choices(logLevels)
        .default("info"),
    )
    .option("--ready-file <file>", "write this file once the agents take lines")
    .addHelpText(
      "after",
      "\n  marsad sim --sensors 3 --history 1h --to 127.0.0.1:7001" +
        "\n  marsad sim --replay inflow.csv --tz Europe/Rome --map water_flow.flow=DMA1 --to 127.0.0.1:7001",
    )
    .action(async (options: SimOptions) => {
      using ending = untilSignal();
      const log = openLog({ name: "sim", level: options.logLevel, pretty: process.stderr.isTTY });
      try {
        const flags = { ...options };
        const config = await resolveConfig(SimConfig, { file: options.config, flags, env: process.env });
        if (options.replay === undefined) await runCity(config, options, ending.signal, log);
        else await playFile(options.replay, config.to, options, ending.signal, log);
      } catch (error) {
        if (!ending.signal.aborted) throw error;
        log.warn("Ended before the file was played.");
        process.exitCode = 1;
      }
    });
}

async function runCity(config: SimConfig, options: SimOptions, signal: AbortSignal, log: Log): Promise<void> {
  if (options.map !== undefined) throw usage("--map belongs to --replay");
  const { seed, sensors, data: folder } = config;
  const city = cityOf({ seed, sensors, places });
  await runSim({
    city,
    catalogue: builtinCatalogue,
    targets: targetsOf(
      config,
      city.gateways.map(({ name }) => name),
    ),
    history_ms: durationOf(config.history),
    step_ms: durationOf(config.step),
    livePeriod_ms: durationOf(config.live_period),
    folder,
    signal,
    log,
    onReady: async () => {
      if (options.readyFile !== undefined) await writeFileAtomically(options.readyFile, "{}\n");
    },
    onProgress: tellParent,
  });
}

function targetsOf({ targets, to }: SimConfig, gateways: readonly string[]): Map<string, Address> {
  const named = new Map(
    Array.isArray(targets)
      ? targets.map(({ gateway, address }) => [gateway, address])
      : Object.entries(targets),
  );
  return new Map(
    gateways.map((gateway) => {
      const address = named.get(gateway) ?? to;
      if (address === undefined)
        throw usage(
          `gateway ${gateway} has no address: say --to HOST:PORT, or targets in the configuration file`,
        );
      return [gateway, parseAddress(address)];
    }),
  );
}

/** Over IPC, where `marsad up` started this process. */
function tellParent(progress: Progress): void {
  // A parent that is gone is noticed by the "disconnect" that follows.
  if (process.connected) process.send?.(progress, undefined, undefined, () => undefined);
}

async function playFile(
  file: string,
  to: string | undefined,
  options: SimOptions,
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  const { map, tz: zone, time, rate, intervalEnd, readyFile } = options;
  if (to === undefined) throw usage("--replay needs --to HOST:PORT, an agent's line input");
  if (map === undefined) throw usage("--replay needs at least one --map MEASUREMENT.FIELD=COLUMN");
  const catalogue =
    options.catalogue === undefined ? builtinCatalogue : await loadCatalogue(options.catalogue);
  const maps = map.map((text) => mapOf(text, catalogue));
  await using sender = await openLineSender(parseAddress(to), { signal, log });
  if (readyFile !== undefined) await writeFileAtomically(readyFile, "{}\n");
  const timeColumn = time;
  const summary = await replay({
    file,
    maps,
    catalogue,
    timeColumn,
    zone,
    interval_ms: intervalEnd,
    rate,
    sender,
    signal,
  });
  for (const problem of summary.problems) log.warn({ file, problem }, "Not as expected.");
  if (options.json) printJson(summary);
  else process.stdout.write(inWords(file, summary));
}

function inWords(file: string, summary: ReplaySummary): string {
  const counts = [
    [summary.gaps, "empty cells"],
    [summary.bad_values, "cells are no numbers (not sent)"],
    [summary.bad_times, "rows have no time (not sent)"],
    [summary.skipped_hour, "rows in an hour that no clock showed"],
    [summary.repeated_hour, "rows in the second pass of a repeated hour"],
    [summary.same_time, "rows at the same instant as the row before (the last one counts)"],
  ] as const;
  const lines = counts.flatMap(([count, what]) => (count === 0 ? [] : [`  ${grouped(count)} ${what}\n`]));
  const span = summary.first === null ? "" : `, from ${summary.first} to ${summary.last}`;
  return `${file}: ${grouped(summary.rows)} rows read, ${grouped(summary.sent)} readings sent${span}\n${lines.join("")}`;
}

function mapOf(text: string, catalogue: Catalogue): ColumnMap {
  const parsed = parseMap(text, catalogue);
  if (!parsed.ok) throw usage(parsed.detail);
  return parsed.map;
}

function gather(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

function parseZone(text: string): Zone {
  try {
    return makeZone(text);
  } catch {
    throw new InvalidArgumentError("Not an IANA time zone; one is Asia/Qatar.");
  }
}

function parseLength(text: string): number {
  const length = parseDuration(text);
  if (length === undefined) throw new InvalidArgumentError("Not a duration; one is 1h.");
  return length;
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate < Number.POSITIVE_INFINITY)) throw new InvalidArgumentError("Not a number above 0.");
  return rate;
}

/** A duration that `SimConfig` has checked, ms. */
function durationOf(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined) throw usage(`"${text}" is no duration`);
  return duration;
}

function usage(message: string): MarsadError {
  return new MarsadError("CONFIG_INVALID", message);
}
