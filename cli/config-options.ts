import type { Command } from "commander";
import { flagsOf } from "#runtime/config.ts";

/** Adds `--config FILE` and an option for each key of a schema; `resolveConfig` makes values of them. */
export function configOptions(command: Command, schema: Parameters<typeof flagsOf>[0]): Command {
  command.option("--config <file>", "YAML file with the keys of docs/configuration.md");
  for (const { flags, description } of flagsOf(schema)) command.option(flags, description);
  return command;
}
