import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DeadLetter, GatewayAccount } from "#telemetry/account.ts";
import { formatBatchHeader } from "#telemetry/batch-header.ts";
import * as content from "../fixtures/data-folder-1/content.ts";
import type { MqttGateway } from "./mqtt-gateway.ts";
import { storedRows } from "./stored-rows.ts";

/** What a former version's platform said of its data folder before it was killed. */
export interface OldDataFolder {
  readonly format: object;
  /** Of the gateways, by name. */
  readonly passwords: Readonly<Record<string, string>>;
  readonly accounts: readonly GatewayAccount[];
  readonly deadletters: readonly DeadLetter[];
  readonly sensors: readonly object[];
}

/** The folder is as old as its format: what it keeps for some days must not have gone by the day of the test. */
export const forEver: readonly string[] = ["--waiting-days", "--dead-letter-days", "--max-age-days"].flatMap(
  (name) => [name, "100000"],
);

/** Puts the data folder of a format where `startPlatform` finds it below `folder`. */
export async function unpackDataFolder(format: 1 | 2, folder: string): Promise<OldDataFolder> {
  const fixture = join(import.meta.dirname, "..", "fixtures", `data-folder-${format}`);
  await promisify(execFile)("tar", ["-xzf", join(fixture, "data.tar.gz"), "-C", folder]);
  return JSON.parse(await readFile(join(fixture, "expected.json"), "utf8")) as OldDataFolder;
}

const keyOf = (measurement: string, sensor: string, time: number): string =>
  `${measurement} ${sensor} ${time}`;

/** What is stored, as `measurement sensor time -> fields`: later readings merge into earlier ones. */
export function rowsOf(readings: readonly content.Reading[]): Map<string, Readonly<Record<string, number>>> {
  const rows = new Map<string, Readonly<Record<string, number>>>();
  for (const { measurement, sensor, time, fields } of readings) {
    const key = keyOf(measurement, sensor, time);
    rows.set(key, { ...rows.get(key), ...fields });
  }
  return rows;
}

/** The same of a store that no platform has open. Throws for a key that is there twice. */
export async function allRows(data: string): Promise<Map<string, object>> {
  const rows = new Map<string, object>();
  for (const measurement of ["traffic_flow", "water_flow", "food_stock"]) {
    const stored = await storedRows(data, measurement);
    for (const { sensor, time, fields } of stored.rows) {
      const key = keyOf(measurement, sensor, time);
      if (rows.has(key)) throw new Error(`${key} is there twice`);
      rows.set(key, fields);
    }
  }
  return rows;
}

/** As the gateway `corniche-1` sends: numbered, from its outbox. */
export async function sendNumbered(
  gateway: MqttGateway,
  first: number,
  readings: readonly content.Reading[],
): Promise<void> {
  const lines = readings.map((reading) => `${content.lineOf(reading)}\n`).join("");
  await gateway.send(formatBatchHeader({ outbox: content.outbox, first, n: readings.length }) + lines);
}
