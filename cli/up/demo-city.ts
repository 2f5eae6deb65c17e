import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { addGateway, listGateways, removeGateway } from "#broker/identities.ts";
import { cityOf, type CityGateway } from "#firmware-sim/city.ts";
import { planOf } from "#firmware-sim/modbus/gateway-meters.ts";
import { agentModbus, busesOf, meterTiming, portsOf } from "#firmware-sim/modbus/unit-plan.ts";
import { parseAddress } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";
import { openRecordStore, type RecordStore } from "#runtime/record-store.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";
import type { BirthSensor } from "#telemetry/birth.ts";
import { places } from "#telemetry/places.ts";
import { anyFreePort } from "./addresses.ts";

/** What the first start decided; later ones go on with the same city, of more or fewer sensors if so wished. */
const Settled = z.object({
  version: z.literal(1),
  seed: z.int(),
  sensors: z.int(),
  /** The sensors' attributes hold from here on: before the first reading of history. ms since 1970. */
  since: z.int(),
});
type Settled = z.infer<typeof Settled>;

export interface CityWishes {
  readonly seed: number | undefined;
  readonly sensors: number | undefined;
  readonly history_ms: number;
}

export interface DemoGateway {
  readonly name: string;
  readonly agency: string;
  readonly sensors: number;
  /** Its agent's configuration file. */
  readonly config: string;
  /** Where its agent takes lines: `HOST:PORT`. */
  readonly input: string;
  /** Where its meters and tanks are Modbus devices: `HOST:PORT`, one for each 247 of them. */
  readonly modbus: readonly string[];
}

export interface DemoCity {
  readonly seed: number;
  readonly sensors: number;
  readonly gateways: readonly DemoGateway[];
}

const defaults = { seed: 1, sensors: 300 };
const DAY_MS = 86_400_000;
/** The wait between two attempts to connect, at most: meters are there once history is sent. */
const RECONNECT_MS = 5000;

/**
 * The demo city of a data folder: on the first start, who measures what is decided and every gateway gets credentials;
 * its agent's configuration is written on every start, since addresses may change.
 * @throws MarsadError `CONFIG_INVALID` when the folder holds a city of another seed.
 */
export async function prepareCity(data: string, wishes: CityWishes, mqtt: string): Promise<DemoCity> {
  await mkdir(join(data, "edge"), { recursive: true });
  const { seed, sensors, since } = await settle(data, wishes);
  const city = cityOf({ seed, sensors, places });
  await using identities = await openRecordStore(join(data, "identities"));
  const gateways: DemoGateway[] = [];
  for (const gateway of city.gateways) {
    await giveCredentials(data, identities, gateway);
    gateways.push(await configureAgent(data, gateway, mqtt, since));
  }
  return { seed, sensors, gateways };
}

async function settle(data: string, wishes: CityWishes): Promise<Settled> {
  const path = join(data, "up.json");
  const before = await readSettled(path);
  const { seed = before?.seed ?? defaults.seed, sensors = before?.sensors ?? defaults.sensors } = wishes;
  if (before && seed !== before.seed) {
    const message = `${data} holds a city with seed ${before.seed}: leave --seed out, or say another --data.`;
    throw new MarsadError("CONFIG_INVALID", message);
  }
  const since = before?.since ?? Date.now() - wishes.history_ms - DAY_MS;
  const settled: Settled = { version: 1, seed, sensors, since };
  await writeFileAtomically(path, `${JSON.stringify(settled)}\n`);
  return settled;
}

async function readSettled(path: string): Promise<Settled | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return Settled.parse(JSON.parse(text));
  } catch (error) {
    throw new MarsadError("STORE_FORMAT", `${path} is not a demo city of this version.`, { cause: error });
  }
}

/** A start that died between the platform's record and the agent's file is mended by giving a new password. */
async function giveCredentials(
  data: string,
  identities: RecordStore,
  { name, agency }: CityGateway,
): Promise<void> {
  const path = passwordFile(data, name);
  const known = listGateways(identities).some((gateway) => gateway.name === name);
  const given = await readFile(path, "utf8").then(
    (text) => text.trim() !== "",
    () => false,
  );
  if (known && given) return;
  if (known) removeGateway(identities, name);
  const password = await addGateway(identities, { name, agency });
  await mkdir(join(data, "edge", name), { recursive: true });
  await writeFileAtomically(path, `${password}\n`, 0o600);
}

async function configureAgent(
  data: string,
  gateway: CityGateway,
  mqtt: string,
  since: number,
): Promise<DemoGateway> {
  const { name, agency, sensors } = gateway;
  const plan = planOf(gateway);
  const modbus: string[] = [];
  while (modbus.length < portsOf(plan)) modbus.push(`127.0.0.1:${await anyFreePort("127.0.0.1")}`);
  const meters = agentModbus(busesOf(plan, modbus.map(parseAddress)), meterTiming);
  const input = `127.0.0.1:${await anyFreePort("127.0.0.1")}`;
  const config = join(data, "edge", name, "agent.yaml");
  const behind: BirthSensor[] = sensors.map(({ id, attributes }) => ({
    id,
    ...attributes,
    valid_from: since,
  }));
  const document = {
    agency,
    gateway: name,
    place: sensors[0]?.attributes.place ?? places.city.municipalities[0]!.code,
    mqtt: `mqtt://${mqtt}`,
    password_file: resolve(passwordFile(data, name)),
    data: resolve(data, "edge"),
    inputs: [{ type: "lines", listen: `tcp://${input}` }, ...meters.inputs],
    register_maps: meters.register_maps,
    reconnect: { max_ms: RECONNECT_MS },
    sensors: behind,
  };
  await writeFileAtomically(config, `# Written by "marsad up" at each start.\n${stringify(document)}`);
  return { name, agency, sensors: sensors.length, config, input, modbus };
}

function passwordFile(data: string, gateway: string): string {
  return join(data, "edge", gateway, "password");
}
