import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { listGatewayConfigs } from "#broker/gateway-config.ts";
import { addGateway, listGateways, removeGateway } from "#broker/identities.ts";
import type { RecordStore } from "#runtime/record-store.ts";
import { GatewayName } from "#telemetry/names.ts";
import { topicPrefix } from "#telemetry/topic.ts";
import { configJson, configState, withConfigOptions } from "./gateway-config.ts";
import {
  identitiesCommand,
  type IdentitiesOptions,
  openExistingIdentities,
  openIdentities,
} from "./identities-folder.ts";
import { paint, printJson, shortTime } from "./output.ts";
import { formatTable } from "./table.ts";

/** `marsad gateway …`: which gateways may connect; on the data folder, also while the platform runs. */
export function gatewayCommand(): Command {
  return new Command("gateway")
    .description(
      "Say which gateways may connect. Works on the data folder, also while the platform runs: it sees the change within a second.",
    )
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(removeCommand())
    .addCommand(configCommand());
}

function addCommand(): Command {
  return identitiesCommand("add", "Let a gateway connect. Prints its password, this once.")
    .addArgument(nameArgument())
    .addOption(
      new Option("--agency <agency>", "whose gateway it is; stands in its topics")
        .argParser(parseName)
        .makeOptionMandatory(),
    )
    .addHelpText("after", "\n  marsad gateway add corniche-1 --agency mobility")
    .action(async (name: string, options: IdentitiesOptions & { agency: string }) => {
      const { agency, data, json } = options;
      await using identities = await openIdentities(data);
      const password = await addGateway(identities, { name, agency });
      const topics = `${topicPrefix({ name, agency })}up/lp`;
      if (json) printJson({ name, agency, password });
      else {
        process.stdout.write(
          `Gateway ${paint.strong(name)} of agency ${agency} may connect.\n\n` +
            `  user      ${name}\n  password  ${paint.strong(password)}   (kept nowhere; note it now)\n  publishes ${topics}, …\n`,
        );
      }
    });
}

function listCommand(): Command {
  return identitiesCommand("list", "Show the gateways that may connect.").action(
    async (options: IdentitiesOptions) => {
      await using identities = await openExisting(options.data);
      const configs = new Map(listGatewayConfigs(identities).map((config) => [config.gateway, config]));
      const gateways = listGateways(identities);
      if (options.json) {
        printJson({
          gateways: gateways.map((gateway) => ({
            ...gateway,
            created: new Date(gateway.created).toISOString(),
            config: configJson(configs.get(gateway.name)),
          })),
        });
      } else if (gateways.length === 0) {
        process.stdout.write("No gateway may connect yet. Add one: marsad gateway add NAME --agency A\n");
      } else {
        process.stdout.write(
          formatTable(
            [
              { title: "GATEWAY", value: ({ name }) => name },
              { title: "AGENCY", value: ({ agency }) => agency },
              { title: "ADDED", value: ({ created }) => shortTime(created) },
              { title: "CONFIGURATION", value: ({ name }) => configState(configs.get(name)) },
            ],
            gateways,
          ),
        );
      }
    },
  );
}

function removeCommand(): Command {
  return identitiesCommand(
    "remove",
    "Take a gateway's password away; its connections are closed. Its readings stay.",
  )
    .addArgument(nameArgument())
    .action(async (name: string, options: IdentitiesOptions) => {
      await using identities = await openExisting(options.data);
      removeGateway(identities, name);
      if (options.json) printJson({ name, removed: true });
      else process.stdout.write(`Gateway ${name} may no longer connect.\n`);
    });
}

function configCommand(): Command {
  const command = identitiesCommand(
    "config",
    "Keep settings for a gateway; a running platform sends them within a second. They hold over those of the gateway's own file, whole keys at a time.",
  ).addArgument(nameArgument());
  return withConfigOptions(command, openExisting);
}

function nameArgument(): Argument {
  return new Argument("<name>", "the gateway's name, which is its MQTT user name").argParser(parseName);
}

/** Gateways and agencies are named alike. */
function parseName(text: string): string {
  const parsed = GatewayName.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`Use ${parsed.error.issues.map(({ message }) => message).join("; ")}.`);
}

function openExisting(data: string): Promise<RecordStore> {
  return openExistingIdentities(data, "gateways");
}
