import { parse } from "csv-parse/sync";
import { join } from "node:path";
import type { z } from "zod";
import {
  DeadLetters,
  DeadLetterWithPayload,
  GatewayAccount as GatewayAccountAnswer,
  Gateways,
  Health,
  Readings,
} from "#api/schemas.ts";
import type { Role } from "#api/access/roles.ts";
import { addUser } from "#api/access/users.ts";
import { addGateway } from "#broker/identities.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import type { DeadLetter, GatewayAccount } from "#telemetry/account.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import { poll } from "./poll.ts";
import { type Program, startProgram } from "./program.ts";

interface Addresses {
  /** HOST:PORT */
  readonly mqtt: string;
  /** http://HOST:PORT */
  readonly http: string;
}

/** `marsad platform` as a process of the test's own, and what it says of itself over HTTP. */
export interface Platform extends Program<Addresses> {
  readonly mqttPort: number;
  readonly data: string;
  /** Everything stored of a measurement, of all times; `sensor` narrows it down. */
  readings(measurement: string, sensor?: string): Promise<Readings["readings"]>;
  csv(measurement: string): Promise<Record<string, string>[]>;
  account(gateway: string): Promise<GatewayAccount>;
  accounts(): Promise<readonly GatewayAccount[]>;
  /**
   * Its ledger once it was heard, nothing is in the journal, and `holds`. A ledger balances at every
   * moment: throws when it is seen otherwise.
   */
  settled(gateway: string, holds?: (account: GatewayAccount) => boolean): Promise<GatewayAccount>;
  deadLetters(gateway?: string): Promise<readonly DeadLetter[]>;
  deadLetter(id: string): Promise<DeadLetterWithPayload>;
  /** `/readyz`, also when it answers 503. */
  health(): Promise<Health>;
}

export interface PlatformOptions {
  /** Of the test; data, log and ready file go below it. */
  readonly folder: string;
  /** Further arguments. */
  readonly args?: readonly string[];
  /** As `ProgramOptions.under`. */
  readonly under?: readonly string[];
  readonly program?: string;
}

/** The data folder that `startPlatform` uses. */
export function dataFolder(folder: string): string {
  return join(folder, "data");
}

/** Starts a platform on free ports; the same folder again is the same platform. */
export async function startPlatform({
  folder,
  args = [],
  under = [],
  program: other,
}: PlatformOptions): Promise<Platform> {
  const data = dataFolder(folder);
  const program = await startProgram<Addresses>({
    args: ["platform", "--data", data, "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0", ...args],
    folder,
    name: "platform",
    under,
    program: other,
  });
  const { http, mqtt } = program.ready;
  const ask = async <Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> => {
    const answer = await fetch(`${http}${path}`);
    if (!answer.ok && path !== "/readyz") throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return schema.parse(await answer.json());
  };
  const accounts = async (): Promise<readonly GatewayAccount[]> =>
    (await ask("/api/v1/gateways", Gateways)).gateways;
  const account = (gateway: string): Promise<GatewayAccount> =>
    ask(`/api/v1/gateways/${gateway}`, GatewayAccountAnswer);
  /** One answer after the other, each from behind the last reading of the one before. */
  const readingsOf = async (measurement: string, sensor: string): Promise<Readings["readings"]> => {
    const all: Readings["readings"] = [];
    for (let from = 0; ; from = Date.parse(all.at(-1)!.time) + 1) {
      const query = `${allTimes(measurement, from)}&sensor=${encodeURIComponent(sensor)}`;
      const { readings, truncated } = await ask(`/api/v1/readings?${query}`, Readings);
      for (const reading of readings) all.push(reading);
      if (!truncated) return all;
    }
  };
  return {
    ...program,
    mqttPort: Number(mqtt.split(":").at(-1)),
    data,
    async readings(measurement, sensor) {
      if (sensor !== undefined) return await readingsOf(measurement, sensor);
      const { readings, truncated } = await ask(`/api/v1/readings?${allTimes(measurement)}`, Readings);
      if (truncated) throw new Error(`there are more readings of ${measurement} than one answer holds`);
      return readings;
    },
    async csv(measurement) {
      const answer = await fetch(`${http}/api/v1/readings?${allTimes(measurement)}&format=csv`);
      return parse(await answer.text(), { columns: true });
    },
    account,
    accounts,
    settled: (gateway, holds = () => true) =>
      poll(async () => {
        const ledger = (await accounts()).find((account) => account.gateway === gateway);
        if (ledger?.balanced === false) throw new Error(`not balanced: ${JSON.stringify(ledger)}`);
        if (!ledger || ledger.last_seen === null) return undefined;
        return ledger.on_its_way.journal === 0 && holds(ledger) ? ledger : undefined;
      }),
    async deadLetters(gateway) {
      const query = gateway === undefined ? "" : `&gateway=${gateway}`;
      return (await ask(`/api/v1/deadletters?limit=1000${query}`, DeadLetters)).deadletters;
    },
    deadLetter: (id) => ask(`/api/v1/deadletters/${id}`, DeadLetterWithPayload),
    health: () => ask("/readyz", Health),
  };
}

/** Lets a gateway connect; works beside a running platform and before the first start. @returns its password. */
export async function admitGateway(data: string, gateway: GatewayIdentity): Promise<string> {
  await using identities = await openRecordStore(join(data, "identities"));
  return await addGateway(identities, gateway);
}

/** Lets somebody use HTTP; works beside a running platform and before the first start. */
export async function addPerson(data: string, name: string, role: Role, password: string): Promise<void> {
  await using identities = await openRecordStore(join(data, "identities"));
  await addUser(identities, { name, role }, password);
}

function allTimes(measurement: string, from = 0): string {
  return `measurement=${measurement}&from=${from}&to=${Date.now() + 86_400_000}&limit=100000`;
}
