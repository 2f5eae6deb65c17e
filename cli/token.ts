import { type Argument, Command, InvalidArgumentError, Option } from "commander";
import type { Role } from "#api/access/roles.ts";
import { addToken, listTokens, removeToken } from "#api/access/tokens.ts";
import { accountNameArgument, noteOfFirst, noteOfLast, roleHelp, roleOption } from "./accounts-output.ts";
import { parseDuration } from "./duration.ts";
import {
  identitiesCommand,
  type IdentitiesOptions,
  openExistingIdentities,
  openIdentities,
} from "./identities-folder.ts";
import { isoTime, paint, printJson, shortTime } from "./output.ts";
import { formatTable } from "./table.ts";

/** `marsad token …`: the programs that may use the HTTP API; on the data folder, also while the platform runs. */
export function tokenCommand(): Command {
  return new Command("token")
    .description(
      "Make tokens with which programs use the HTTP API: Grafana, scripts, Prometheus. Works on the data folder, also while the platform runs: the change holds at once.",
    )
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(removeCommand());
}

function addCommand(): Command {
  return identitiesCommand("add", "Make a token. Prints it, this once.")
    .addArgument(nameArgument())
    .addOption(roleOption())
    .addOption(
      new Option(
        "--expires <duration>",
        "how long it is good for, such as 90d; without it, until it is removed",
      ).argParser(parseLifetime),
    )
    .addHelpText("after", `${roleHelp()}\n\n  marsad token add grafana --role viewer --expires 90d`)
    .action(async (name: string, options: IdentitiesOptions & { role: Role; expires?: number }) => {
      const { data, json, role } = options;
      const expires = options.expires === undefined ? undefined : Date.now() + options.expires;
      await using identities = await openIdentities(data);
      const token = addToken(identities, { name, role, expires });
      if (json) printJson({ name, role, token, expires: isoTime(expires) });
      else {
        const until = expires === undefined ? "" : ` until ${shortTime(expires)}`;
        process.stdout.write(
          `Whoever shows this token may use the platform as ${role}${until}.\n\n` +
            `  token  ${paint.strong(token)}   (kept nowhere; note it now)\n\n${noteOfFirst(identities)}`,
        );
      }
    });
}

function listCommand(): Command {
  return identitiesCommand("list", "Show the tokens, without their secrets.").action(
    async ({ data, json }: IdentitiesOptions) => {
      await using identities = await openExistingIdentities(data, "tokens");
      const tokens = listTokens(identities);
      if (json) {
        const shown = tokens.map((token) => ({
          ...token,
          created: isoTime(token.created),
          expires: isoTime(token.expires),
          used: isoTime(token.used),
        }));
        printJson({ tokens: shown });
      } else if (tokens.length === 0) {
        process.stdout.write("There are no tokens yet. Make one: marsad token add NAME --role viewer\n");
      } else {
        process.stdout.write(
          formatTable(
            [
              { title: "TOKEN", value: ({ name }) => name },
              { title: "ROLE", value: ({ role }) => role },
              { title: "BEGINS", value: ({ begins }) => begins },
              { title: "ADDED", value: ({ created }) => shortTime(created) },
              { title: "EXPIRES", value: ({ expires }) => expiry(expires) },
              { title: "LAST USED", value: ({ used }) => shortTime(used ?? null) },
            ],
            tokens,
          ),
        );
      }
    },
  );
}

function removeCommand(): Command {
  return identitiesCommand("remove", "Make a token worthless.")
    .addArgument(nameArgument())
    .action(async (name: string, { data, json }: IdentitiesOptions) => {
      await using identities = await openExistingIdentities(data, "tokens");
      removeToken(identities, name);
      if (json) printJson({ name, removed: true });
      else process.stdout.write(`Token ${name} opens nothing any more.\n${noteOfLast(identities)}`);
    });
}

function nameArgument(): Argument {
  return accountNameArgument("what it is for; no part of the secret");
}

function expiry(expires: number | undefined): string {
  if (expires === undefined) return "never";
  return `${shortTime(expires)}${expires <= Date.now() ? ", over" : ""}`;
}

/** Milliseconds: a hundred years. */
const longest = 36_500 * 86_400_000;

function parseLifetime(text: string): number {
  const lifetime = parseDuration(text);
  if (lifetime !== undefined && lifetime > 0 && lifetime <= longest) return lifetime;
  throw new InvalidArgumentError("It is a number and a unit, at most 36500d: 90d, 12h.");
}
