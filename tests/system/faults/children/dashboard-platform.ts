import { Command } from "commander";
import { authorizeGateway } from "#broker/acl.ts";
import { configOptions } from "#cli/config-options.ts";
import { PlatformConfig } from "#cli/platform/config.ts";
import { runPlatform } from "#cli/platform/run.ts";
import { resolveConfig } from "#runtime/config.ts";
import { untilSignalOrReload } from "#runtime/lifecycle.ts";
import { openLog } from "#runtime/log.ts";

/** `marsad platform` with one thing more: whoever is of the agency `control-room` may hear everything. */
const command = configOptions(new Command("platform"), PlatformConfig).action(
  async ({ config: file, ...flags }: { config?: string }) => {
    const config = await resolveConfig(PlatformConfig, { file, flags, env: process.env });
    const log = openLog({ name: "platform", level: config.log_level, pretty: false });
    using ending = untilSignalOrReload();
    const { signal, onReload } = ending;
    await runPlatform(config, {
      signal,
      onReload,
      log,
      version: "test",
      authorize: (gateway, action, topic) =>
        (gateway.agency === "control-room" && action === "subscribe") ||
        authorizeGateway(gateway, action, topic),
    });
  },
);
await new Command().addCommand(command).parseAsync();
