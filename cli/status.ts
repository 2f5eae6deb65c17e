import { Command } from "commander";
import { z } from "zod";
import { Gateways, Health, Totals } from "#api/schemas.ts";
import { caOption, type Client, httpOption, jsonOption, openClient, userOption } from "./client.ts";
import { grouped, paint, printJson } from "./output.ts";

const Status = z.object({ address: z.string(), ...Health.shape, totals: Totals, gateways: z.int() });
type Status = z.infer<typeof Status>;

/** `marsad status`: exit code 1 while a part does not work. */
export function statusCommand(): Command {
  return new Command("status")
    .description("Says whether each part of the platform works, and what it has done since it started.")
    .addOption(httpOption())
    .addOption(caOption())
    .addOption(userOption())
    .addOption(jsonOption())
    .action(async (options: { http: string; user?: string; json: boolean }) => {
      const status = await readStatus(openClient(options.http, options.user));
      if (options.json) printJson(status);
      else process.stdout.write(describe(status));
      if (!status.ready) process.exitCode = 1;
    });
}

async function readStatus(client: Client): Promise<Status> {
  const [{ ready, parts }, totals, { gateways }] = await Promise.all([
    client.get("/readyz", Health),
    client.get("/api/v1/totals", Totals),
    client.get("/api/v1/gateways", Gateways),
  ]);
  return { address: client.url, ready, parts, totals, gateways: gateways.length };
}

function describe({ address, ready, parts, totals, gateways }: Status): string {
  const lines = [
    `${paint.strong(address)} is ${ready ? paint.good("ready") : paint.bad("not ready")}`,
    ...parts.map(
      ({ name, ok, why }) => `  ${name.padEnd(8)} ${ok ? paint.good("ok") : paint.bad(why ?? "not ok")}`,
    ),
    "",
    `gateways   ${grouped(totals.gateways_connected)} connected of ${grouped(gateways)}`,
    `received   ${grouped(totals.received)} readings since the start`,
    `stored     ${grouped(totals.stored)}`,
    `duplicate  ${grouped(totals.duplicate)}`,
    `refused    ${grouped(totals.refused)}`,
    `on its way ${grouped(totals.waiting)} waiting for a birth, ${grouped(totals.journal)} in the journal, ` +
      `${grouped(totals.missing)} missing`,
  ];
  return `${lines.join("\n")}\n`;
}
