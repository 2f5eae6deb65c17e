import { Command, InvalidArgumentError, Option } from "commander";
import { SimConfig } from "#firmware-sim/config.ts";
import { makeZone, type Zone } from "#telemetry/zone.ts";
import { resolveConfig } from "#runtime/config.ts";
import { untilSignal } from "#runtime/lifecycle.ts";
import { logLevels, openLog, type LogLevel } from "#runtime/log.ts";
import { jsonOption } from "./client.ts";
import { configOptions } from "./config-options.ts";
import { parseDuration } from "./duration.ts";
import { runCity } from "./sim/city.ts";
import { playFile } from "./sim/replay.ts";
import { usage } from "./sim/usage.ts";

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
  readonly mapFile?: string;
  readonly logLevel: LogLevel;
}

/** `marsad sim`: a city of virtual sensors, or a recorded file, for agents that take lines and read Modbus devices. */
export function simCommand(): Command {
  const command = new Command("sim").description(
    "Runs a city of virtual sensors that send lines to the agents on its gateways: first history, as fast as they take it, then " +
      "live. With --replay it plays a recorded file instead.",
  );
  return configOptions(command, SimConfig)
    .option(
      "--modbus <host:port>",
      "meters and tanks are Modbus TCP devices while live, from this port on, one port a gateway; with --replay each mapped sensor " +
        "is one, read row by row (default: all send lines; env: MARSAD_SIM_MODBUS)",
    )
    .option(
      "--map-file <file>",
      "write what the agents' configurations say of the Modbus devices: inputs and register_maps",
    )
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
        "\n  marsad sim --replay inflow.csv --tz Europe/Rome --map water_flow.flow=DMA1 --to 127.0.0.1:7001" +
        "\n  marsad sim --replay inflow.csv --tz Europe/Rome --map water_flow.flow=DMA1 --modbus 127.0.0.1:5020",
    )
    .action(async (options: SimOptions) => {
      using ending = untilSignal();
      const log = openLog({ name: "sim", level: options.logLevel, pretty: process.stderr.isTTY });
      try {
        const flags = { ...options };
        const config = await resolveConfig(SimConfig, { file: options.config, flags, env: process.env });
        if (options.replay !== undefined) {
          const { replay: file, time, tz: zone, intervalEnd, ...rest } = options;
          const { to, modbus } = config;
          const how = { file, to, modbus, timeColumn: time, zone, interval_ms: intervalEnd };
          await playFile({ ...rest, ...how }, ending.signal, log);
        } else if (options.map === undefined) await runCity(config, options, ending.signal, log);
        else throw usage("--map belongs to --replay");
      } catch (error) {
        if (!ending.signal.aborted) throw error;
        log.warn("Ended before the file was played.");
        process.exitCode = 1;
      }
    });
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
