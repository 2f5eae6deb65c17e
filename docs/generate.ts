import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { format } from "oxfmt";
import { z } from "zod";
import { openApiDocument } from "#api/document.ts";
import { brokerLimits } from "#broker/limits.ts";
import { PlatformConfig } from "#cli/platform/config.ts";
import { EdgeAgentConfig } from "#edge-agent/config.ts";
import { SimConfig } from "#firmware-sim/config.ts";
import { FaultLabel } from "#firmware-sim/faults/label.ts";
import { DeadLetter, GatewayAccount } from "#telemetry/account.ts";
import { Birth } from "#telemetry/birth.ts";
import { CatalogueFile } from "#telemetry/catalogue.ts";
import { ConfigMessage } from "#telemetry/config-message.ts";
import { Nack, Rebirth } from "#telemetry/nack.ts";
import { GatewayStatus } from "#telemetry/status.ts";
import { TimeMessage } from "#telemetry/time-message.ts";
import packageJson from "../package.json" with { type: "json" };
import { configurationPage, type Program } from "./configuration-page.ts";

/** What can be configured: one line a program. */
const programs: readonly Program[] = [
  {
    command: "marsad platform",
    about: "Broker, ingest, store and HTTP API in one process.",
    schema: PlatformConfig,
  },
  { command: "marsad edge", about: "The agent on a gateway.", schema: EdgeAgentConfig },
  { command: "marsad sim", about: "A city of virtual sensors.", schema: SimConfig },
];

/** What goes over a wire or stands in a file that others write: one line a schema. */
const messages: Readonly<Record<string, { readonly schema: z.ZodType; readonly about: string }>> = {
  birth: { schema: Birth, about: "marsad/{agency}/{gateway}/birth: who is behind the gateway." },
  status: { schema: GatewayStatus, about: "marsad/{agency}/{gateway}/status: online or offline, retained." },
  nack: { schema: Nack, about: "marsad/{agency}/{gateway}/down/nack: what was refused, and why." },
  rebirth: {
    schema: Rebirth,
    about: "marsad/{agency}/{gateway}/down/rebirth: the platform asks for a birth.",
  },
  time: { schema: TimeMessage, about: "marsad/{agency}/{gateway}/down/time: the platform's time." },
  config: {
    schema: ConfigMessage,
    about: "marsad/{agency}/{gateway}/down/config: settings from the platform, retained.",
  },
  catalogue: { schema: CatalogueFile, about: "catalogue.d/*.yaml: a city's own measurements." },
  account: { schema: GatewayAccount, about: "A gateway's ledger, as `marsad account --json` lists it." },
  "fault-label": {
    schema: FaultLabel,
    about:
      "A line of the file that `marsad sim --labels FILE` writes: what went wrong, when, and where it shows.",
  },
  deadletter: { schema: DeadLetter, about: "A refused piece of a payload." },
};

const folder = import.meta.dirname;

/** Every generated page, by its path below `docs/`. */
export async function generatedPages(): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  pages.set("openapi.json", await json(await openApiDocument(packageJson.version)));
  pages.set("configuration.md", configurationPage(programs, brokerLimits));
  for (const [name, { schema, about }] of Object.entries(messages)) {
    const described = { title: name, description: about, ...z.toJSONSchema(schema, { io: "input" }) };
    pages.set(`messages/${name}.json`, await json(described));
  }
  return pages;
}

/** As the repository's formatter writes it. */
async function json(document: object): Promise<string> {
  const { printWidth } = JSON.parse(await readFile(join(folder, "..", ".oxfmtrc.json"), "utf8")) as {
    printWidth: number;
  };
  const { code } = await format("page.json", JSON.stringify(document), { printWidth });
  return code;
}

if (import.meta.main) {
  await rm(join(folder, "messages"), { recursive: true, force: true });
  for (const [path, text] of await generatedPages()) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
