import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { formatBatchHeader } from "#telemetry/batch-header.ts";
import type { DeadLetter, GatewayAccount } from "#telemetry/account.ts";
import * as content from "../../fixtures/data-folder-1/content.ts";
import { connectGateway, type MqttGateway } from "../../support/mqtt-gateway.ts";
import { dataFolder, startPlatform } from "../../support/platform.ts";
import { storedRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";

const fixture = join(import.meta.dirname, "..", "..", "fixtures", "data-folder-1");
const [corniche, pumps, stores] = content.gateways;
/** The folder is as old as its format: what it keeps for some days must not have gone by the day of the test. */
const forEver = ["--waiting-days", "--dead-letter-days", "--max-age-days"].flatMap((name) => [
  name,
  "100000",
]);

interface Expected {
  readonly format: object;
  readonly passwords: Readonly<Record<string, string>>;
  readonly accounts: readonly GatewayAccount[];
  readonly deadletters: readonly DeadLetter[];
  readonly sensors: readonly object[];
}

/** What is stored, as `measurement sensor time -> fields`: later readings merge into earlier ones. */
function rowsOf(readings: readonly content.Reading[]): Map<string, Readonly<Record<string, number>>> {
  const rows = new Map<string, Readonly<Record<string, number>>>();
  for (const { measurement, sensor, time, fields } of readings) {
    const key = `${measurement} ${sensor} ${time}`;
    rows.set(key, { ...rows.get(key), ...fields });
  }
  return rows;
}

async function allRows(data: string): Promise<Map<string, object>> {
  const rows = new Map<string, object>();
  for (const measurement of ["traffic_flow", "water_flow", "food_stock"]) {
    const stored = await storedRows(data, measurement);
    for (const { sensor, time, fields } of stored.rows) {
      const key = `${measurement} ${sensor} ${time}`;
      expect(rows.has(key)).toBe(false);
      rows.set(key, fields);
    }
  }
  return rows;
}

const sendNumbered = (gateway: MqttGateway, first: number, readings: readonly content.Reading[]) =>
  gateway.send(
    formatBatchHeader({ outbox: content.outbox, first, n: readings.length }) +
      readings.map((reading) => `${content.lineOf(reading)}\n`).join(""),
  );

test("a data folder of format 1 is migrated with all that it holds, and written on", async () => {
  using folder = tempFolder("migration");
  const data = dataFolder(folder.path);
  await promisify(execFile)("tar", ["-xzf", join(fixture, "data.tar.gz"), "-C", folder.path]);
  const before = await readFile(join(data, "format.json"), "utf8");
  const expected = JSON.parse(await readFile(join(fixture, "expected.json"), "utf8")) as Expected;

  await using platform = await startPlatform({ folder: folder.path, args: forEver });
  expect(JSON.parse(await readFile(join(data, "format.json"), "utf8"))).toEqual({
    ...expected.format,
    format: 2,
    store: "duckdb",
  });
  expect(await readFile(join(data, "format-1.bak", "format.json"), "utf8")).toBe(before);

  // What was in the journal is stored now; everything else is as it was.
  for (const was of expected.accounts) {
    const { stored, on_its_way, connected: _, missing: __, ...rest } = was;
    expect(await platform.settled(was.gateway)).toMatchObject({
      ...rest,
      stored: stored + on_its_way.journal,
      on_its_way: { waiting: on_its_way.waiting, journal: 0, missing: 0 },
    });
  }
  expect(await platform.deadLetters()).toMatchObject(expected.deadletters);
  for (const [i, line] of content.refused.entries()) {
    const { id } = expected.deadletters.find((letter) => letter.id.endsWith(`.${i}`))!;
    expect(JSON.stringify(await platform.deadLetter(id))).toContain(line);
  }
  const listed = await runMarsad(["sensor", "list", "--data", data, "--json"]);
  expect(JSON.parse(listed.stdout)).toMatchObject({ sensors: expected.sensors });

  // The new version goes on: with the old password, numbers, series and waiting readings.
  const last = content.stored(corniche).length + content.left(corniche).length;
  const more = Array.from({ length: 50 }, (_, i) => ({
    measurement: "traffic_flow" as const,
    sensor: "tf-1",
    time: content.start + 86_400_000 + i * 60_000,
    fields: { vehicles: i, occupancy: i / 64 },
  }));
  await using gateway = await connectGateway({
    identity: { name: corniche.name, agency: corniche.agency },
    password: expected.passwords[corniche.name]!,
    port: platform.mqttPort,
  });
  await gateway.birth([...corniche.sensors, content.unknownSensor]);
  await sendNumbered(gateway, last - 20, content.left(corniche).slice(-20)); // again, known by number
  await sendNumbered(gateway, last, more);
  const was = expected.accounts.find((account) => account.gateway === corniche.name)!;
  const { on_its_way: onItsWay } = was;
  const account = await platform.settled(
    corniche.name,
    ({ sent, on_its_way }) => sent === was.sent + 70 && on_its_way.waiting === 0,
  );
  expect(account).toMatchObject({
    stored: was.stored + onItsWay.journal + onItsWay.waiting + more.length,
    duplicate: was.duplicate + 20,
    on_its_way: { waiting: 0, journal: 0, missing: 0 },
  });
  expect(await platform.end("SIGTERM")).toBe(0);

  const sent = [corniche, pumps, stores].flatMap((place) => [
    ...content.stored(place),
    ...content.left(place),
  ]);
  expect(await allRows(data)).toEqual(rowsOf([...sent, content.correction, ...content.waiting, ...more]));

  // A second start finds nothing to migrate.
  await using again = await startPlatform({ folder: folder.path, args: forEver });
  expect(await again.settled(corniche.name)).toMatchObject({ stored: account.stored, balanced: true });
  expect(await readFile(join(data, "format-1.bak", "format.json"), "utf8")).toBe(before);
});
