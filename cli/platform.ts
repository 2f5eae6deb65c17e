import { Command } from "commander";
import { resolveConfig } from "#runtime/config.ts";
import { untilSignalOrReload } from "#runtime/lifecycle.ts";
import { openLog } from "#runtime/log.ts";
import packageJson from "../package.json" with { type: "json" };
import { configOptions } from "./config-options.ts";
import { PlatformConfig } from "./platform/config.ts";
import { runPlatform } from "./platform/run.ts";

/** `marsad platform`: broker, ingest, store and API in one process, until it is told to end. */
export function platformCommand(): Command {
  const command = new Command("platform").description(
    "Runs the platform: the MQTT broker that gateways connect to, ingest, the store, and the HTTP API. Ctrl-C ends it in order.",
  );
  return configOptions(command, PlatformConfig).action(
    async ({ config: file, ...flags }: { config?: string }) => {
      const config = await resolveConfig(PlatformConfig, { file, flags, env: process.env });
      const log = openLog({ name: "platform", level: config.log_level, pretty: process.stderr.isTTY });
      using ending = untilSignalOrReload();
      const { signal, onReload } = ending;
      await runPlatform(config, { signal, onReload, log, version: packageJson.version });
    },
  );
}
