import { expect, test } from "vitest";
import * as content from "../../fixtures/data-folder-1/content.ts";
import { reportFault } from "../../support/fault-report.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { allRows, forEver, rowsOf, sendNumbered, unpackDataFolder } from "../../support/old-data-folder.ts";
import { startPlatform } from "../../support/platform.ts";
import { type StoredRow, storedRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { startCity } from "./city.ts";
import { expectBalance, settle, untilAcknowledged } from "./support.ts";
import { judge } from "./verdict.ts";

const [corniche, pumps, stores] = content.gateways;
const acknowledged = [
  ...[corniche, pumps, stores].flatMap((place) => [...content.stored(place), ...content.left(place)]),
  content.correction,
  ...content.afterGap,
];

test("a folder that the version before has left, killed under way, goes on under load: journal, store, waiting readings, dead letters, reading numbers and gaps", async ({
  annotate,
}) => {
  using folder = tempFolder("upgrade");
  const expected = await unpackDataFolder(2, folder.path);
  await using city = await startCity({ folder: folder.path });
  await using platform = await startPlatform({ folder: folder.path, args: forEver });
  city.platform = platform;
  await untilAcknowledged(city, 20);

  // What was in the journal is stored now; everything else is as it was.
  for (const { stored, on_its_way, connected: _, ...rest } of expected.accounts) {
    const { waiting, journal, missing } = on_its_way;
    expect(await platform.settled(rest.gateway)).toMatchObject({
      ...rest,
      stored: stored + journal,
      on_its_way: { waiting, journal: 0, missing },
    });
  }
  expect(await platform.deadLetters()).toMatchObject(expected.deadletters);
  for (const [i, line] of content.refused.entries()) {
    const { id } = expected.deadletters.find((letter) => letter.id.endsWith(`.${i}`))!;
    expect((await platform.deadLetter(id)).payload?.text).toContain(line);
  }

  // corniche-1 has had no PUBACK for its last batches, and says at last whose readings they were that wait.
  const { name, agency, sensors } = corniche;
  const password = expected.passwords[name]!;
  await using gateway = await connectGateway({
    identity: { name, agency },
    password,
    port: platform.mqttPort,
  });
  const left = content.left(corniche);
  await sendNumbered(gateway, content.stored(corniche).length, left);
  await sendNumbered(gateway, content.afterGapNumber, content.afterGap);
  const before = expected.accounts.find((account) => account.gateway === name)!;
  expect(await platform.settled(name)).toMatchObject({
    duplicate: before.duplicate + left.length + content.afterGap.length,
    on_its_way: { waiting: content.waiting.length, missing: before.on_its_way.missing },
    missing: before.missing,
  });
  await gateway.birth([...sensors, content.unknownSensor]);
  await platform.settled(name, ({ on_its_way }) => on_its_way.waiting === 0);

  await untilAcknowledged(city, 20);
  await settle(city, platform);
  await expectBalance(platform);
  expect(await platform.end("SIGTERM")).toBe(0);

  const isOld = (sensor: string): boolean => !city.loads.has(sensor.split(".")[0]!);
  const rows = await allRows(platform.data);
  const old = new Map(Array.from(rows).filter(([key]) => isOld(key.split(" ")[1]!)));
  const owed = rowsOf([...acknowledged, ...content.waiting]);
  const lost = Array.from(owed).filter(
    ([key, fields]) => JSON.stringify(old.get(key)) !== JSON.stringify(fields),
  );
  const { count, rows: flows } = await storedRows(platform.data, "traffic_flow");
  const newFlows = flows.filter(({ sensor }: StoredRow) => !isOld(sensor));
  const verdict = await judge({ count: newFlows.length, rows: newFlows }, city.loads);
  await reportFault(annotate, {
    fault: "upgrade: a data folder of the version before",
    tried: 1,
    sent: owed.size + verdict.sent,
    acknowledged: owed.size + verdict.acknowledged,
    lost: lost.length + verdict.lost.length,
    twice: count - rows.size + verdict.twice,
  });
  expect(old).toEqual(owed);
  expect(count).toBe(rows.size);
  expect({ ...verdict, sent: 0, acknowledged: 0 }).toEqual({
    sent: 0,
    acknowledged: 0,
    lost: [],
    twice: 0,
    invented: [],
  });
});
