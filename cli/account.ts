import { Command } from "commander";
import * as answers from "#api/schemas.ts";
import type { GatewayAccount } from "#telemetry/account.ts";
import { caOption, type Client, httpOption, jsonOption, openClient, userOption } from "./client.ts";
import { grouped, paint, printJson, shortTime } from "./output.ts";
import { formatTable, type Column } from "./table.ts";

/** `marsad account`: exit code 1 when a gateway's ledger does not balance. */
export function accountCommand(): Command {
  return new Command("account")
    .description(
      "What became of every reading that each gateway sent: sent = stored + duplicate + refused + on its way.",
    )
    .argument("[gateway]", "only this one")
    .addOption(httpOption())
    .addOption(caOption())
    .addOption(userOption())
    .addOption(jsonOption())
    .action(async (gateway: string | undefined, options: { http: string; user?: string; json: boolean }) => {
      const accounts = await readAccounts(openClient(options.http, options.user), gateway);
      const balanced = accounts.every((account) => account.balanced);
      if (options.json) printJson({ balanced, gateways: accounts });
      else process.stdout.write(formatLedger(accounts));
      if (!balanced) process.exitCode = 1;
    });
}

async function readAccounts(client: Client, gateway: string | undefined): Promise<GatewayAccount[]> {
  if (gateway !== undefined) {
    return [await client.get(`/api/v1/gateways/${encodeURIComponent(gateway)}`, answers.GatewayAccount)];
  }
  return (await client.get("/api/v1/gateways", answers.Gateways)).gateways;
}

type Line = Pick<GatewayAccount, "sent" | "stored" | "duplicate" | "refused" | "on_its_way" | "balanced"> & {
  readonly name: string;
  readonly agency?: string;
  readonly seen?: string | undefined;
};

const amount = (title: string, value: (line: Line) => number): Column<Line> => ({
  title,
  value: (line) => grouped(value(line)),
  align: "right",
});

const columns: readonly Column<Line>[] = [
  { title: "GATEWAY", value: ({ name }) => name },
  { title: "AGENCY", value: ({ agency }) => agency },
  { title: "SEEN", value: ({ seen }) => seen },
  amount("SENT", ({ sent }) => sent),
  amount("STORED", ({ stored }) => stored),
  amount("DUPLICATE", ({ duplicate }) => duplicate),
  amount("REFUSED", ({ refused }) => refused),
  amount("WAITING", ({ on_its_way }) => on_its_way.waiting),
  amount("JOURNAL", ({ on_its_way }) => on_its_way.journal),
  amount("MISSING", ({ on_its_way }) => on_its_way.missing),
  { title: "BALANCED", value: ({ balanced }) => (balanced ? "yes" : "NO") },
];

/** The ledgers as a table with their sum; below, why readings were refused and which numbers are missing. */
export function formatLedger(accounts: readonly GatewayAccount[]): string {
  const lines: Line[] = accounts.map((account) => ({
    ...account,
    name: account.gateway,
    seen: account.connected ? "connected" : shortTime(account.last_seen),
  }));
  const table = formatTable(columns, accounts.length === 1 ? lines : [...lines, sumOf(lines)]);
  const notes = accounts.flatMap(({ gateway, refused_by_reason, missing }) => {
    const refused = Object.entries(refused_by_reason).filter(([, readings]) => readings > 0);
    return [
      ...refused.map(([reason, readings]) => `${gateway}: refused ${grouped(readings)} for ${reason}`),
      ...missing.map(
        ({ outbox, from, to }) =>
          `${gateway}: missing ${to - from === 1 ? from : `${from} to ${to - 1}`} of outbox ${outbox}`,
      ),
    ];
  });
  const unbalanced = accounts.filter(({ balanced }) => !balanced).map(({ gateway }) => gateway);
  if (unbalanced.length > 0) notes.push(paint.bad(`Not balanced: ${unbalanced.join(", ")}.`));
  return notes.length > 0 ? `${table}\n${notes.join("\n")}\n` : table;
}

function sumOf(lines: readonly Line[]): Line {
  const sum = (value: (line: Line) => number): number =>
    lines.reduce((total, line) => total + value(line), 0);
  return {
    name: "all",
    sent: sum(({ sent }) => sent),
    stored: sum(({ stored }) => stored),
    duplicate: sum(({ duplicate }) => duplicate),
    refused: sum(({ refused }) => refused),
    on_its_way: {
      waiting: sum(({ on_its_way }) => on_its_way.waiting),
      journal: sum(({ on_its_way }) => on_its_way.journal),
      missing: sum(({ on_its_way }) => on_its_way.missing),
    },
    balanced: lines.every(({ balanced }) => balanced),
  };
}
