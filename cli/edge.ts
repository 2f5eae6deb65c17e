import { once } from "node:events";
import { Command, Option } from "commander";
import { type EdgeAgent, EdgeAgentConfig, openEdgeAgent } from "#edge-agent/index.ts";
import { resolveConfig } from "#runtime/config.ts";
import { type EndingOrReload, untilSignalOrReload } from "#runtime/lifecycle.ts";
import { type Log, type LogLevel, logLevels, openLog } from "#runtime/log.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";
import { edgeCheckCommand } from "./edge-check.ts";

interface EdgeOptions {
  readonly config?: readonly string[];
  readonly data?: string;
  readonly readyFile?: string;
  readonly logLevel: LogLevel;
}
/** Milliseconds between the counts that a parent process is told. */
const STATS_INTERVAL = 1000;

/** `marsad edge`: the agents of one or more gateways, until a signal ends them. */
export function edgeCommand(): Command {
  return new Command("edge")
    .description(
      "Runs a gateway's agent: takes readings from sensors, keeps them on disk, and brings them to the platform. With several " +
        "--config one process runs the agents of several gateways.",
    )
    .enablePositionalOptions()
    .addOption(configOption())
    .option("--data <dir>", "the outbox is in DIR/GATEWAY (default: the file's `data`, or marsad-edge)")
    .addOption(
      new Option("--log-level <level>", "what is logged, on stderr")
        .env("MARSAD_LOG_LEVEL")
        .choices(logLevels)
        .default("info"),
    )
    .option("--ready-file <file>", "write where the inputs listen to this file once they do")
    .addHelpText("after", "\n  marsad edge --config /etc/marsad/corniche-1.yaml --data /var/lib/marsad")
    .addCommand(edgeCheckCommand(configOption()))
    .action(async (options: EdgeOptions, command: Command) => {
      if (options.config === undefined)
        command.error("error: required option '--config <file>' not specified");
      using ending = untilSignalOrReload();
      await run({ ...options, config: options.config }, ending);
    });
}

/** Not mandatory to commander, which would ask for it before a subcommand too. */
function configOption(): Option {
  return new Option(
    "--config <file>",
    "YAML with the agent's settings, see docs/gateway.md; may be repeated",
  ).argParser((file: string, before: readonly string[] | undefined) => [...(before ?? []), file]);
}

async function run(
  { config, data, readyFile, logLevel }: EdgeOptions & { readonly config: readonly string[] },
  { signal: toldToEnd, onReload }: EndingOrReload,
): Promise<void> {
  // Ended from outside, or here after a failure: each agent closes on it, all at once.
  const failed = new AbortController();
  const signal = AbortSignal.any([toldToEnd, failed.signal]);
  const log = openLog({ name: "edge", level: logLevel, pretty: process.stderr.isTTY });
  const read = (): Promise<EdgeAgentConfig[]> =>
    Promise.all(
      config.map((file) => resolveConfig(EdgeAgentConfig, { file, flags: { data }, env: process.env })),
    );
  const configs = await read();
  const agents: EdgeAgent[] = [];
  const reporter = setInterval(() => tellParent(agents), STATS_INTERVAL);
  try {
    for (const settings of configs) agents.push(await openEdgeAgent(settings, { signal, log }));
    if (readyFile !== undefined) {
      const ready = { agents: agents.map(({ gateway, inputs }) => ({ gateway, inputs })) };
      await writeFileAtomically(readyFile, `${JSON.stringify(ready)}\n`);
    }
    onReload(() => reload(agents, read, log));
    await Promise.race([ended(signal), ...agents.map(({ failed }) => failed)]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(reporter);
    failed.abort();
    await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()));
  }
}

/** Each agent takes what its file says now, or goes on as it was. */
async function reload(
  agents: readonly EdgeAgent[],
  read: () => Promise<readonly EdgeAgentConfig[]>,
  log: Log,
): Promise<void> {
  try {
    const configs = await read();
    const changes = agents.map((agent, index) => agent.reconfigure(configs[index]!));
    for (const [index, change] of (await Promise.allSettled(changes)).entries()) {
      if (change.status === "fulfilled") continue;
      const { gateway } = agents[index]!;
      log.error({ err: change.reason, gateway }, "The configuration was not taken; the former one holds.");
    }
  } catch (error) {
    log.error({ err: error }, "The configuration cannot be read again; the former one holds.");
  }
}

async function ended(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

/** Over IPC, where `marsad up` started this process. */
function tellParent(agents: readonly EdgeAgent[]): void {
  if (!process.connected) return;
  const told = agents.map((agent) => ({ gateway: agent.gateway, ...agent.stats() }));
  // A parent that is gone is noticed by the "disconnect" that follows.
  process.send?.({ agents: told }, undefined, undefined, () => undefined);
}
