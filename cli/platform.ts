import { Command } from "commander";
import { openLog } from "#runtime/log.ts";
import { PlatformConfig } from "./platform/config.ts";
import { runPlatform } from "./platform/run.ts";
import packageJson from "../package.json" with { type: "json" };

export function platformCommand(): Command {
  return new Command("platform")
    .option("--data <dir>")
    .option("--mqtt <a>")
    .option("--http <a>")
    .option("--store <s>")
    .option("--ready-file <f>")
    .option("--log-level <l>")
    .action(async (flags: Record<string, unknown>) => {
      const config = PlatformConfig.parse(flags);
      const c = new AbortController();
      process.on("SIGTERM", () => c.abort());
      process.on("SIGINT", () => c.abort());
      await runPlatform(config, { signal: c.signal, log: openLog({ name: "platform", level: config.logLevel }), version: packageJson.version });
    });
}
