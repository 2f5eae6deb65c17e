import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as content from "../../fixtures/data-folder-1/content.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { allRows, forEver, rowsOf, sendNumbered, unpackDataFolder } from "../../support/old-data-folder.ts";
import { dataFolder, startPlatform } from "../../support/platform.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";

const [corniche, pumps, stores] = content.gateways;

test("a data folder of format 1 is migrated with all that it holds, and written on", async () => {
  using folder = tempFolder("migration");
  const data = dataFolder(folder.path);
  const expected = await unpackDataFolder(1, folder.path);
  const before = await readFile(join(data, "format.json"), "utf8");

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
