import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { DeadLetters, DeadLetterWithPayload, Replayed } from "#api/schemas.ts";
import type { DeadLetter } from "#telemetry/account.ts";
import { reasons } from "#telemetry/rejection.ts";
import { caOption, httpOption, jsonOption, openClient, userOption } from "./client.ts";
import { grouped, printJson, shortTime } from "./output.ts";
import { formatTable, type Column } from "./table.ts";

interface Common {
  readonly http: string;
  readonly user?: string;
  readonly json: boolean;
}
interface Filter {
  readonly gateway?: string;
  readonly reason?: string;
}

/** `marsad deadletters list|show|replay` */
export function deadLettersCommand(): Command {
  return new Command("deadletters")
    .description("What was not stored, and why: list it, look at its bytes, try it again.")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(replayCommand());
}

function listCommand(): Command {
  return filtered(new Command("list").description("The latest dead letters, without their bytes."))
    .addOption(new Option("--limit <count>", "how many").argParser(parseLimit).default(50))
    .action(async ({ http, user, json, gateway, reason, limit }: Common & Filter & { limit: number }) => {
      const query = { gateway, reason, limit };
      const answer = await openClient(http, user).get("/api/v1/deadletters", DeadLetters, query);
      if (json) printJson(answer);
      else if (answer.deadletters.length === 0) process.stdout.write("There are no dead letters.\n");
      else process.stdout.write(formatTable(columns, answer.deadletters));
    });
}

function showCommand(): Command {
  return new Command("show")
    .description("One dead letter with the bytes that were refused.")
    .addArgument(new Argument("<id>", "as `list` shows it"))
    .addOption(httpOption())
    .addOption(caOption())
    .addOption(userOption())
    .addOption(jsonOption())
    .action(async (id: string, { http, user, json }: Common) => {
      const letter = await openClient(http, user).get(
        `/api/v1/deadletters/${encodeURIComponent(id)}`,
        DeadLetterWithPayload,
      );
      if (json) printJson(letter);
      else process.stdout.write(describe(letter));
    });
}

function replayCommand(): Command {
  return filtered(
    new Command("replay").description(
      "Decodes kept bytes again, after a change of catalogue or sensors. What is still refused stays.",
    ),
  )
    .addOption(new Option("--id <id>", "only this one"))
    .addOption(new Option("--all", "all that are kept").conflicts(["id", "gateway", "reason"]))
    .action(
      async (
        { http, user, json, all, id, gateway, reason }: Common & Filter & { id?: string; all?: boolean },
        command: Command,
      ) => {
        const filter = { id, gateway, reason };
        if (!all && Object.values(filter).every((value) => value === undefined)) {
          command.error("error: say which: --id, --gateway, --reason or --all");
        }
        const replayed = await openClient(http, user).post("/api/v1/deadletters/replay", Replayed, filter);
        if (json) printJson(replayed);
        else {
          const { tried, accepted, refused } = replayed;
          process.stdout.write(
            `${grouped(tried)} tried, ${grouped(accepted)} accepted, ${grouped(refused)} refused again.\n`,
          );
        }
      },
    );
}

function filtered(command: Command): Command {
  return command
    .addOption(new Option("--gateway <name>", "only of this gateway"))
    .addOption(new Option("--reason <reason>", "only for this reason").choices(reasons))
    .addOption(httpOption())
    .addOption(caOption())
    .addOption(userOption())
    .addOption(jsonOption());
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000) return limit;
  throw new InvalidArgumentError("It is a whole number from 1 to 1000.");
}

const columns: readonly Column<DeadLetter>[] = [
  { title: "ID", value: ({ id }) => id },
  { title: "AT", value: ({ at }) => shortTime(at) },
  { title: "GATEWAY", value: ({ gateway }) => gateway },
  { title: "REASON", value: ({ reason }) => reason },
  { title: "READINGS", value: ({ readings }) => grouped(readings), align: "right" },
  { title: "BYTES", value: ({ bytes, kept }) => (kept ? grouped(bytes) : "gone"), align: "right" },
  { title: "DETAIL", value: ({ detail }) => detail },
];

function describe({ payload, ...letter }: DeadLetterWithPayload): string {
  const facts = [
    `${letter.id}: ${letter.reason}, ${grouped(letter.readings)} readings of ${letter.gateway} (${letter.agency})`,
    `refused ${shortTime(letter.at)} on ${letter.channel}: ${letter.detail}`,
    `${grouped(letter.bytes)} bytes, sha256 ${letter.sha256}…`,
  ];
  if (!payload) return `${facts.join("\n")}\nThe bytes are no longer kept.\n`;
  // Bytes from outside must not move the terminal's cursor.
  const text = payload.text.replaceAll(/[^\P{C}\n\t]/gu, "\ufffd").trimEnd();
  return `${facts.join("\n")}${payload.encoding === "base64" ? ", here in base64" : ""}:\n\n${text}\n`;
}
