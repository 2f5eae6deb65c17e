import { type Command, Option } from "commander";
import { stringify } from "yaml";
import { type GatewayConfig, gatewayConfig, setGatewayConfig } from "#broker/gateway-config.ts";
import { expectGateway } from "#broker/identities.ts";
import { remoteProblem } from "#edge-agent/remote-config.ts";
import { readConfigFile } from "#runtime/config-file.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { RecordStore } from "#runtime/record-store.ts";
import { paint, printJson, shortTime } from "./output.ts";

interface ConfigOptions {
  readonly data: string;
  readonly json: boolean;
  readonly file?: string;
  readonly clear?: boolean;
}

/** `marsad gateway config NAME`, made of a command with the options that all of them have. */
export function withConfigOptions(command: Command, open: (data: string) => Promise<RecordStore>): Command {
  return command
    .addOption(
      new Option(
        "--file <file>",
        "YAML with the settings that are to hold over those of the gateway's own file",
      ).conflicts(["show", "clear"]),
    )
    .addOption(
      new Option("--show", "show what is kept for it, and what it said of that (also without an option)"),
    )
    .addOption(new Option("--clear", "go back to what the gateway's own file says").conflicts(["show"]))
    .addHelpText(
      "after",
      "\n  marsad gateway config corniche-1 --file corniche-1.remote.yaml\n  marsad gateway config corniche-1 --show",
    )
    .action(async (name: string, { data, json, file, clear }: ConfigOptions) => {
      await using records = await open(data);
      if (file === undefined && clear !== true) return show(records, name, json);
      const config = file === undefined ? null : await readRemoteConfig(file);
      const revision = setGatewayConfig(records, name, config);
      if (json) printJson({ gateway: name, revision, config });
      else if (config === null)
        process.stdout.write(`Gateway ${paint.strong(name)} goes back to its own file.\n`);
      else
        process.stdout.write(
          `Gateway ${paint.strong(name)} gets configuration ${paint.strong(revision)}: ${Object.keys(config).join(", ")}.\n` +
            "It is sent at once, or when the gateway connects; marsad gateway list says what became of it.\n",
        );
    });
}

/** What became of a gateway's configuration, in a word and a reason. */
export function configState(config: GatewayConfig | undefined): string {
  if (config === undefined) return "own file";
  const { revision, report } = config;
  const what = config.config === null ? "own file" : revision;
  if (report === undefined || report.revision !== revision) return `${what} (not there yet)`;
  return report.result === "applied" ? what : `${what} refused: ${report.detail ?? "no reason given"}`;
}

/** The same for programs. */
export function configJson(config: GatewayConfig | undefined): object | null {
  if (config === undefined) return null;
  const { revision, at, report } = config;
  return {
    revision: config.config === null ? null : revision,
    at: new Date(at).toISOString(),
    state: report?.revision === revision ? report.result : "sent",
    ...(report?.revision === revision && report.detail !== undefined && { detail: report.detail }),
  };
}

function show(records: RecordStore, name: string, json: boolean): void {
  expectGateway(records, name);
  const kept = gatewayConfig(records, name);
  if (json) return printJson({ gateway: name, config: kept?.config ?? null, state: configJson(kept) });
  process.stdout.write(`# ${name}: ${configState(kept)}${kept ? `, given ${shortTime(kept.at)}` : ""}\n`);
  if (kept?.config) process.stdout.write(stringify(kept.config));
}

/** @throws MarsadError CONFIG_INVALID: what is wrong, and where. */
async function readRemoteConfig(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { values } = await readConfigFile(file);
  const problem = remoteProblem(values);
  if (problem !== undefined) throw new MarsadError("CONFIG_INVALID", `${file}: ${problem}`);
  return values;
}
