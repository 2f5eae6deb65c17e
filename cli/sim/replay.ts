import { openLineSender } from "#firmware-sim/line-sender.ts";
import { openRegisterSink } from "#firmware-sim/modbus/replay-registers.ts";
import type { AgentModbus } from "#firmware-sim/modbus/unit-plan.ts";
import { lineSink } from "#firmware-sim/replay-lines.ts";
import { parseMap, type ColumnMap } from "#firmware-sim/replay-map.ts";
import { seriesOf } from "#firmware-sim/replay-series.ts";
import { replay, type ReplaySummary } from "#firmware-sim/replay.ts";
import type { Zone } from "#telemetry/zone.ts";
import { parseAddress } from "#runtime/address.ts";
import type { Log } from "#runtime/log.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import { grouped, printJson } from "../output.ts";
import { loadCatalogue } from "../platform/catalogue.ts";
import { agentYaml } from "./agent-yaml.ts";
import { usage } from "./usage.ts";

export interface PlayOptions {
  readonly file: string;
  /** An agent's line input: `HOST:PORT`. */
  readonly to: string | undefined;
  /** Where the file's sensors are Modbus devices, in place of `to`. */
  readonly modbus: unknown;
  readonly map?: readonly string[] | undefined;
  readonly timeColumn?: string | undefined;
  readonly zone: Zone;
  readonly interval_ms: number;
  readonly rate?: number | undefined;
  /** Folder of the city's own measurements. */
  readonly catalogue?: string | undefined;
  readonly json: boolean;
  readonly readyFile?: string | undefined;
  /** Where the agent's Modbus inputs are written. */
  readonly mapFile?: string | undefined;
}

/** Plays a recorded file to its end and says what became of it. */
export async function playFile(options: PlayOptions, signal: AbortSignal, log: Log): Promise<void> {
  const { file, to, modbus, map, json } = options;
  if ((to === undefined) === (modbus === undefined))
    throw usage(
      "--replay needs --to HOST:PORT, an agent's line input, or --modbus HOST:PORT, where to listen",
    );
  if (map === undefined) throw usage("--replay needs at least one --map MEASUREMENT.FIELD=COLUMN");
  const catalogue =
    options.catalogue === undefined ? builtinCatalogue : await loadCatalogue(options.catalogue);
  const series = seriesOf(
    map.map((text) => mapOf(text, catalogue)),
    catalogue,
  );
  await using ways = new AsyncDisposableStack();
  const openSink = async () => {
    if (to !== undefined) {
      if (options.mapFile !== undefined) throw usage("--map-file belongs to --modbus");
      return lineSink(series, ways.use(await openLineSender(parseAddress(to), { signal, log })));
    }
    if (typeof modbus !== "string") throw usage("--replay takes one --modbus HOST:PORT");
    const registers = ways.use(await openRegisterSink(parseAddress(modbus), series, { signal, log }));
    await tellAgent(registers.agent, options);
    return registers;
  };
  const sink = await openSink();
  if (options.readyFile !== undefined) await writeFileAtomically(options.readyFile, "{}\n");
  const summary = await replay({ ...options, series, sink, signal });
  for (const problem of summary.problems) log.warn({ file, problem }, "Not as expected.");
  if (json) printJson(summary);
  else process.stdout.write(inWords(file, summary));
}

async function tellAgent(agent: AgentModbus, { json, mapFile }: PlayOptions): Promise<void> {
  const yaml = `# For the configuration of the agent that reads these devices; its \`sensors\` name them too.\n${agentYaml(agent)}`;
  if (mapFile !== undefined) await writeFileAtomically(mapFile, yaml);
  else if (!json) process.stdout.write(yaml);
}

function mapOf(text: string, catalogue: Catalogue): ColumnMap {
  const parsed = parseMap(text, catalogue);
  if (!parsed.ok) throw usage(parsed.detail);
  return parsed.map;
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
