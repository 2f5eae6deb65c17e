#!/usr/bin/env node
import "./cli/threads.ts";
import { Command } from "commander";
import { runProgram } from "./cli/report.ts";
import packageJson from "./package.json" with { type: "json" };

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Each command's file is loaded when the command is called: `--help` must not wait for DuckDB. */
const commands: readonly Entry[] = [
  {
    name: "up",
    summary: "Bring a whole demo city up: sensors, gateways and platform.",
    load: async () => (await import("./cli/up.ts")).upCommand(),
  },
  {
    name: "platform",
    summary: "Run the platform: broker, ingest, store and HTTP API.",
    load: async () => (await import("./cli/platform.ts")).platformCommand(),
  },
  {
    name: "edge",
    summary: "Run the agent of a gateway.",
    load: async () => (await import("./cli/edge.ts")).edgeCommand(),
  },
  {
    name: "sim",
    summary: "Run a city of virtual sensors, or play a recorded file.",
    load: async () => (await import("./cli/sim.ts")).simCommand(),
  },
  {
    name: "gateway",
    summary: "Say which gateways may connect.",
    load: async () => (await import("./cli/gateway.ts")).gatewayCommand(),
  },
  {
    name: "user",
    summary: "Say which people may use the HTTP API.",
    load: async () => (await import("./cli/user.ts")).userCommand(),
  },
  {
    name: "token",
    summary: "Make tokens with which programs use the HTTP API.",
    load: async () => (await import("./cli/token.ts")).tokenCommand(),
  },
  {
    name: "sensor",
    summary: "Register, correct, verify and retire sensors.",
    load: async () => (await import("./cli/sensor.ts")).sensorCommand(),
  },
  {
    name: "status",
    summary: "Is the platform well, and what has it done?",
    load: async () => (await import("./cli/status.ts")).statusCommand(),
  },
  {
    name: "account",
    summary: "Every gateway's ledger: what became of the readings it sent.",
    load: async () => (await import("./cli/account.ts")).accountCommand(),
  },
  {
    name: "jobs",
    summary: "What the platform does by itself, how far it is, and what went wrong.",
    load: async () => (await import("./cli/jobs.ts")).jobsCommand(),
  },
  {
    name: "deadletters",
    summary: "List, show and replay what was refused.",
    load: async () => (await import("./cli/deadletters.ts")).deadLettersCommand(),
  },
  {
    name: "query",
    summary: "Ask InfluxQL of the platform: rows as table, CSV or JSON.",
    load: async () => (await import("./cli/query.ts")).queryCommand(),
  },
  {
    name: "backup",
    summary: "Copy the data folder, also while the platform runs.",
    load: async () => (await import("./cli/backup.ts")).backupCommand(),
  },
  {
    name: "restore",
    summary: "Make a data folder of a backup.",
    load: async () => (await import("./cli/restore.ts")).restoreCommand(),
  },
  {
    name: "bench",
    summary: "Measure what Marsad costs on this machine.",
    load: async () => (await import("./cli/bench.ts")).benchCommand(),
  },
];

async function programFor(args: readonly string[]): Promise<Command> {
  const program = new Command("marsad")
    .description("Marsad, the observatory on which a city sees itself.")
    .version(packageJson.version)
    .addHelpText(
      "after",
      '\n"marsad COMMAND --help" explains a command. Exit codes: 0 done, 1 failed, 2 wrong usage.',
    );
  const named = args.filter((arg) => !arg.startsWith("-"));
  const called = named[0] === "help" ? named[1] : named[0];
  for (const { name, summary, load } of commands) {
    const command = name === called ? await load() : new Command(name);
    program.addCommand(command.summary(summary));
  }
  return program;
}

/** `marsad up` ends its programs itself; should it vanish, they end as if it had asked them to. */
if (process.connected) {
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel?.unref();
}

await runProgram(programFor(process.argv.slice(2)), process.argv.slice(2), process.env);
