import { Command, InvalidArgumentError, type Option } from "commander";
import {
  type CheckProblem,
  type CheckReport,
  type CheckedValue,
  checkInputs,
} from "#edge-agent/check/index.ts";
import { EdgeAgentConfig } from "#edge-agent/config.ts";
import { resolveConfig } from "#runtime/config.ts";
import { untilSignal } from "#runtime/lifecycle.ts";
import { paint, printJson } from "./output.ts";
import { type Column, formatTable } from "./table.ts";

interface CheckOptions {
  readonly config?: readonly string[];
  readonly seconds: number;
  readonly json?: true;
}

/** The exit code when something has to be mended. */
const FAILED = 1;

/** `marsad edge check`: what the inputs read, once; nothing is sent. */
export function edgeCheckCommand(configOption: Option): Command {
  return new Command("check")
    .description(
      "Reads every input once and prints what it reads: Modbus devices are asked, lines and MQTT messages listened for. It sends nothing and " +
        "opens no outbox, so it may run beside the agent. Exit code 1 when something has to be mended.",
    )
    .addOption(configOption)
    .option("--seconds <n>", "how long to listen for lines and messages", seconds, 10)
    .option("--json", "print one JSON document")
    .addHelpText("after", "\n  marsad edge check --config /etc/marsad/corniche-1.yaml")
    .action(async (_: CheckOptions, command: Command) => {
      const { config, seconds, json } = command.optsWithGlobals<CheckOptions>();
      if (config === undefined) command.error("error: required option '--config <file>' not specified");
      else process.exitCode = await check(config, seconds, json === true);
    });
}

/** @returns The exit code. */
async function check(files: readonly string[], seconds: number, json: boolean): Promise<number> {
  using ending = untilSignal();
  const configs = await Promise.all(
    files.map((file) => resolveConfig(EdgeAgentConfig, { file, flags: {}, env: process.env })),
  );
  const options = { listen: seconds * 1000, signal: ending.signal };
  const reports = await Promise.all(configs.map((config) => checkInputs(config, options)));
  if (json) printJson({ gateways: reports });
  else for (const report of reports) process.stdout.write(formatReport(report));
  return reports.every(({ problems }) => problems.length === 0) ? 0 : FAILED;
}

function formatReport({ gateway, values, problems, notes }: CheckReport): string {
  const parts = [`${paint.strong(gateway)}\n`];
  if (values.length > 0) parts.push(formatTable(columns, values));
  for (const { sensor, measurement, field, hint } of values)
    if (hint !== undefined) parts.push(`${paint.bad("?")} ${sensor} ${measurement}.${field}: ${hint}\n`);
  parts.push(...problems.map(formatProblem), ...notes.map((note) => `- ${note}\n`));
  return parts.join("");
}

const columns: readonly Column<CheckedValue>[] = [
  { title: "SENSOR", value: ({ sensor }) => sensor },
  { title: "MEASUREMENT", value: ({ measurement }) => measurement },
  { title: "FIELD", value: ({ field }) => field },
  { title: "RAW", value: ({ raw }) => raw },
  { title: "VALUE", value: ({ value }) => value, align: "right" },
  { title: "UNIT", value: ({ unit }) => unit },
  {
    title: "PLAUSIBLE",
    value: ({ plausible }) => (plausible === undefined ? undefined : plausible ? "yes" : "NO"),
  },
];

function formatProblem({ input, sensor, problem, hints }: CheckProblem): string {
  const where = sensor === undefined ? input : `${sensor} at ${input}`;
  return [`${paint.bad("✗")} ${where}: ${problem}`, ...hints.map((hint) => `      · ${hint}`), ""].join("\n");
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 3600) return value;
  throw new InvalidArgumentError("It is a number above 0, up to 3600.");
}
