import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { reportFault } from "../../support/fault-report.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { histories, kills } from "../../support/soak.ts";
import { type StoredRow, storedRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { agency } from "./city.ts";
import { history } from "./histories.ts";
import { expectAccount, Scene, sum } from "./scene.ts";
import { expectBalance } from "./support.ts";

/** How far ahead of the platform's clock a reading may be, by default; milliseconds. */
const maxFuture = 300_000;

test(`${histories} histories of duplicates, disorder, corrections, late data and wrong clocks, over reconnects and kill -9: the last arrival of each (series, time) is its row`, async ({
  annotate,
}) => {
  using folder = tempFolder("time-and-order");
  const data = dataFolder(folder.path);
  const start = (args: readonly string[] = []): Promise<Platform> =>
    startPlatform({ folder: folder.path, args });
  const scenes: Scene[] = [];
  let killed = 0;
  {
    await using stack = new AsyncDisposableStack();
    let platform = stack.use(await start());
    await fc.assert(
      fc.asyncProperty(history, async (told) => {
        const identity = { name: `gw-${scenes.length}`, agency };
        await using scene = new Scene(identity, await admitGateway(data, identity));
        scenes.push(scene);
        const isKilled = killed < Math.min(kills, histories) / 2;
        await scene.play(told, platform.mqttPort, async () => {
          if (!isKilled) return undefined;
          killed += 1;
          await platform.end("SIGKILL");
          platform = stack.use(await start());
          return platform.mqttPort;
        });
        await expectAccount(scene, platform);
      }),
      { numRuns: histories, endOnFailure: true },
    );
    await expectBalance(platform);
    expect(await platform.end("SIGTERM")).toBe(0);
  }
  expect(killed).toBeGreaterThan(0);
  const verdict = judge((await storedRows(data, "traffic_flow")).rows, scenes, ({ teller }) => teller.rows);
  await reportFault(annotate, {
    fault: "duplicates, disorder, late data and wrong clocks",
    tried: scenes.length,
    sent: sum(scenes, ({ teller }) => teller.told),
    acknowledged: sum(scenes, ({ teller }) => teller.told),
    lost: verdict.lost.length,
    twice: verdict.twice,
    measured: {
      "kill -9": killed,
      rows: verdict.rows,
      "refused from the future": sum(scenes, ({ refused }) => refused),
    },
  });
  expect(verdict).toMatchObject({ lost: [], invented: [], twice: 0 });

  // Two hours later, or when the bound is another: what was refused is kept, and can be stored.
  {
    const config = join(folder.path, "later.yaml");
    writeFileSync(config, "max_future_seconds: 10800\n");
    await using later = await start(["--config", config]);
    expect(await replay(later)).toMatchObject({ refused: 0 });
    for (const { identity } of scenes) {
      expect(await later.settled(identity.name)).toMatchObject({ refused: 0, balanced: true });
    }
    expect(await later.end("SIGTERM")).toBe(0);
  }
  const after = judge((await storedRows(data, "traffic_flow")).rows, scenes, rowsLater);
  expect(after).toMatchObject({ lost: [], invented: [], twice: 0 });
});

test("a reading that is a little too far ahead is refused with a nack, and stored when it is replayed after its time has come", async () => {
  using folder = tempFolder("ahead");
  const identity = { name: "ahead", agency };
  const password = await admitGateway(dataFolder(folder.path), identity);
  await using platform = await startPlatform({ folder: folder.path });
  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
  await gateway.birth(["ahead.0"]);
  const time = Date.now() + maxFuture + 1_500;
  await gateway.send(`traffic_flow,sensor=ahead.0 vehicles=7 ${time}`);
  await gateway.send(`traffic_flow,sensor=ahead.0 vehicles=8 ${time + 2 * 3_600_000}`);
  expect((await gateway.refusal("future")).excerpt).toContain(`vehicles=7 ${time}`);
  expect(await platform.settled("ahead")).toMatchObject({ stored: 0, refused_by_reason: { future: 2 } });
  await sleep(time - maxFuture - Date.now() + 50);
  expect(await replay(platform)).toEqual({ tried: 2, accepted: 1, refused: 1 });
  expect(await platform.settled("ahead")).toMatchObject({
    stored: 1,
    refused_by_reason: { future: 1 },
    balanced: true,
  });
  const letters = await platform.deadLetters("ahead");
  expect(letters).toMatchObject([{ reason: "future", readings: 1 }]);
  expect((await platform.deadLetter(letters[0]!.id)).payload?.text).toContain("vehicles=8 ");
  expect(await platform.end("SIGTERM")).toBe(0);
  const { rows } = await storedRows(dataFolder(folder.path), "traffic_flow");
  expect(rows).toEqual([{ agency, sensor: "ahead.0", time, fields: { vehicles: 7 } }]);
});

/** The rows of a history when all that was ahead has been stored, too. */
function rowsLater({
  teller: { rows, future },
}: Scene): ReadonlyMap<string, Readonly<Record<string, number>>> {
  return new Map([...rows, ...future]);
}

/** Every row beside the model's, both ways. */
function judge(
  rows: readonly StoredRow[],
  scenes: readonly Scene[],
  expectedOf: (scene: Scene) => ReadonlyMap<string, Readonly<Record<string, number>>>,
): { rows: number; lost: string[]; twice: number; invented: string[] } {
  const stored = new Map<string, string>();
  for (const { sensor, time, fields } of rows) stored.set(`${sensor} ${time}`, textOf(fields));
  const expected = new Map(scenes.flatMap((scene) => Array.from(expectedOf(scene))));
  return {
    rows: rows.length,
    lost: Array.from(expected)
      .filter(([key, fields]) => stored.get(key) !== textOf(fields))
      .map(([key, fields]) => `${key} ${textOf(fields)}, not ${stored.get(key)}`),
    twice: rows.length - stored.size,
    invented: Array.from(stored.keys()).filter((key) => !expected.has(key)),
  };
}

function textOf(fields: StoredRow["fields"]): string {
  return JSON.stringify(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function replay({ ready: { http } }: Platform): Promise<unknown> {
  const answer = await fetch(`${http}/api/v1/deadletters/replay`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  return await answer.json();
}
