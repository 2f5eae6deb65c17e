import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pino } from "pino";
import { listGateways } from "#broker/identities.ts";
import { openRegistry } from "#ingest/registry/registry.ts";
import type { Registry } from "#ingest/registry/registry.ts";
import type { SensorRef } from "#ingest/registry/sensor-record.ts";
import { MarsadError } from "#runtime/errors.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";

/**
 * The registry of the data folder, for an operator's command.
 * @throws MarsadError NOT_FOUND: there is no such folder; RECORDS_CORRUPT, RECORDS_UNWRITABLE
 */
export async function openSensors(data: string): Promise<Registry> {
  await expectFolder(data);
  return await openRegistry({
    path: join(data, "registry"),
    limits: { sensorsPerGateway: Number.POSITIVE_INFINITY },
    log: pino({ level: "silent" }),
  });
}

/**
 * The sensors with these ids, in the agency, or in whichever one has them.
 * @throws MarsadError NOT_FOUND; CONFIG_INVALID when an id is used by several agencies and none was named.
 */
export function findSensors(
  registry: Registry,
  ids: readonly string[],
  agency: string | undefined,
): SensorRef[] {
  return [...new Set(ids)].map((id) => {
    const found = registry.named(id).filter((record) => agency === undefined || record.agency === agency);
    if (found.length > 1) {
      throw new MarsadError(
        "CONFIG_INVALID",
        `${found.map((record) => record.agency).join(" and ")} both have a sensor ${id}: say whose with --agency.`,
      );
    }
    if (!found[0]) {
      const where = agency === undefined ? "" : ` in agency ${agency}`;
      throw new MarsadError(
        "NOT_FOUND",
        `There is no sensor ${id}${where}. \`marsad sensor list\` shows all; \`marsad sensor add ${id} …\` registers it.`,
      );
    }
    return { agency: found[0].agency, sensor: id };
  });
}

/**
 * The gateway of that name.
 * @throws MarsadError NOT_FOUND; REFUSED when it is not of the agency asked for.
 */
export async function findGateway(
  data: string,
  name: string,
  agency: string | undefined,
): Promise<GatewayIdentity> {
  await expectFolder(data);
  await using identities = await openRecordStore(join(data, "identities"));
  const gateways = listGateways(identities);
  const gateway = gateways.find((entry) => entry.name === name);
  if (!gateway) {
    const known = gateways.length === 0 ? "There are none yet" : "`marsad gateway list` shows all";
    throw new MarsadError(
      "NOT_FOUND",
      `There is no gateway ${name} in ${data}. ${known}; \`marsad gateway add ${name} --agency ${agency ?? "A"}\` makes it one.`,
    );
  }
  if (agency !== undefined && gateway.agency !== agency) {
    throw new MarsadError("REFUSED", `Gateway ${name} is of agency ${gateway.agency}, not ${agency}.`);
  }
  return { name, agency: gateway.agency };
}

async function expectFolder(data: string): Promise<void> {
  const isFolder = await stat(data).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (isFolder) return;
  throw new MarsadError(
    "NOT_FOUND",
    `There is no data folder ${data}. Say where it is with --data or MARSAD_DATA; \`marsad up\` makes one, and so does ` +
      "`marsad gateway add`.",
  );
}
