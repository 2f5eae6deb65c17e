import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { readingsPerBatch } from "../../support/mqtt-load.ts";
import { dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { kills } from "../../support/soak.ts";
import { influxRows, type StoredRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type City, p95, readyAgain, type Start, startCity, startTimed } from "./city.ts";
import { endInTime, expectBalance, expectReadyAgain, settle, untilAcknowledged } from "./support.ts";
import { expectKept } from "./verdict.ts";

const there = await requireDebian("influxdb");
const note = there ? "" : ` (${whySkipped("influxdb")})`;
const database = "city";
const readingsPerSecond = 2_000;

interface InfluxCity extends City {
  readonly influxd: Influxd;
  readonly start: () => Promise<Platform>;
}

/** An influxd, and two gateways that together send so many readings a second to whatever platform there is. */
async function startInfluxCity(rate = readingsPerSecond): Promise<InfluxCity> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(tempFolder("influx-faults")).path;
  const influxd = stack.use(await startInfluxd({ folder }));
  const gateways = ["numbered", "plain"] as const;
  const city = stack.use(await startCity({ folder, gateways, rate }));
  const all = stack.move();
  return Object.assign(city, {
    influxd,
    start: () => startPlatform({ folder, args: influxArgs(influxd) }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  });
}

function influxArgs({ url }: Influxd): string[] {
  return ["--store", "influxdb", "--influx-url", url, "--influx-db", database, "--influx-timeout", "2000"];
}

/** Kills the platform `kills` times, each after so many batches of every gateway. @returns how each start went. */
async function killUnderLoad(city: InfluxCity, batches: number): Promise<Start[]> {
  const starts: Start[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const { platform, took } = await startTimed(city, city.start);
    await using _platform = platform;
    starts.push(took);
    await untilAcknowledged(city, batches);
    await sleep(Math.random() * 300);
    city.platform = undefined;
    await platform.end("SIGKILL");
  }
  return starts;
}

const rowsIn = ({ folder, influxd: { url } }: InfluxCity): Promise<StoredRows> =>
  influxRows(dataFolder(folder), "traffic_flow", { url, database });

describe.skipIf(!there)(`a platform whose store is InfluxDB${note}`, () => {
  test(`influxd killed ${kills} x under load: readings are acknowledged meanwhile, /readyz says why, nothing is lost or twice`, async ({
    annotate,
  }) => {
    await using city = await startInfluxCity();
    await using platform = await city.start();
    city.platform = platform;
    const readyAfter: number[] = [];
    for (let kill = 0; kill < kills; kill++) {
      await untilAcknowledged(city, 30);
      await sleep(Math.random() * 300);
      await city.influxd.end("SIGKILL");
      await untilAcknowledged(city, 30);
      const { ready, parts } = await poll(async () => {
        const health = await platform.health();
        return !health.ready && health;
      });
      expect(ready).toBe(false);
      expect(parts.find(({ name }) => name === "store")?.why).toContain("cannot be reached");
      await city.influxd.start();
      const back = performance.now();
      await poll(async () => (await platform.health()).ready, { interval: 20 });
      readyAfter.push(performance.now() - back);
    }
    await untilAcknowledged(city, 10);
    await settle(city, platform);
    await expectBalance(platform);
    expect(await platform.end("SIGTERM")).toBe(0);
    const measured = { "ready once influxd answers, p95 ms": p95(readyAfter) };
    await expectKept(
      annotate,
      { fault: "kill -9 of influxd", tried: kills, measured },
      await rowsIn(city),
      city.loads,
    );
    expect(p95(readyAfter)).toBeLessThan(2_000);
  });

  test("told to end: under load, while InfluxDB hangs and with a backlog the platform ends in time with exit code 0, and everything continues", async ({
    annotate,
  }) => {
    await using city = await startInfluxCity();
    const ended: number[] = [];
    {
      await using platform = await city.start();
      city.platform = platform;
      await untilAcknowledged(city, 30);
      city.platform = undefined;
      ended.push(await endInTime(platform));
    }
    {
      await using platform = await city.start();
      city.platform = platform;
      await untilAcknowledged(city, 10);
      await city.influxd.pause();
      await untilAcknowledged(city, 60);
      await poll(async () =>
        (await platform.health()).parts
          .find(({ name }) => name === "store")
          ?.why?.includes("no answer within"),
      );
      city.platform = undefined;
      ended.push(await endInTime(platform));
    }
    {
      await using platform = await city.start(); // with a store that still hangs, and a backlog for it
      city.platform = platform;
      await untilAcknowledged(city, 20);
      const backlog = (await platform.accounts()).map(({ on_its_way }) => on_its_way.journal);
      expect(Math.min(...backlog)).toBeGreaterThan(60 * readingsPerBatch);
      city.platform = undefined;
      ended.push(await endInTime(platform));
    }
    await using platform = await city.start();
    city.platform = platform;
    await untilAcknowledged(city, 10);
    city.influxd.resume();
    await settle(city, platform);
    await expectBalance(platform);
    ended.push(await endInTime(platform));
    const measured = { "ended, at most ms": Math.max(...ended) };
    await expectKept(
      annotate,
      {
        fault: "SIGTERM under load, InfluxDB well, hanging, and with a backlog",
        tried: ended.length,
        measured,
      },
      await rowsIn(city),
      city.loads,
    );
  });

  test(`the platform killed ${kills} x with -9 under load: what was acknowledged is in InfluxDB once, and the ledger balances`, async ({
    annotate,
  }) => {
    await using city = await startInfluxCity();
    const starts = await killUnderLoad(city, 40);
    const { platform, took } = await startTimed(city, city.start);
    await using _platform = platform;
    await untilAcknowledged(city, 10);
    await settle(city, platform);
    await expectBalance(platform);
    expect(await platform.end("SIGTERM")).toBe(0);
    const again = [...starts.slice(1), took];
    const measured = readyAgain(again);
    await expectKept(
      annotate,
      { fault: "kill -9 of the platform, InfluxDB behind it", tried: kills, measured },
      await rowsIn(city),
      city.loads,
    );
    expectReadyAgain(again);
  });

  test(`the platform killed ${kills} x with -9 while InfluxDB refuses everything: each reading is one dead letter's, counted once, and can be stored later`, async ({
    annotate,
  }) => {
    await using city = await startInfluxCity(400);
    const { influxd } = city;
    await influxd.query(`CREATE DATABASE "${database}"`);
    // Another program has taken the field's name for a whole number.
    expect(await influxd.write(database, `traffic_flow,sensor=x vehicles=1i ${Date.now()}`)).toBe(204);
    await killUnderLoad(city, 15);
    await using platform = await city.start();
    city.platform = platform;
    await untilAcknowledged(city, 10);
    await Promise.all(Array.from(city.loads.values(), ({ load }) => load.drain()));
    for (const [name, { load }] of city.loads) {
      const account = await platform.settled(name);
      const { sent, refused, duplicate, stored } = account;
      expect({ stored, sent }).toEqual({ stored: 0, sent: refused + duplicate });
      const letters = (await platform.deadLetters(name)).filter(({ reason }) => reason === "store-refused");
      expect(letters.every(({ detail }) => detail.startsWith("field type conflict: "))).toBe(true);
      const kept = await Promise.all(letters.map(({ id }) => platform.deadLetter(id)));
      const lines = kept.flatMap(({ payload }) => payload!.text.split("\n"));
      expect(lines).toHaveLength(refused);
      // A gateway without reading numbers sends again what had no PUBACK, and a store that refuses cannot know it.
      const distinct = new Set(lines).size;
      const resent = lines.length - distinct;
      expect(resent).toBeLessThanOrEqual(load.resent * readingsPerBatch);
      expect(distinct).toBeGreaterThanOrEqual(load.acknowledged.size * readingsPerBatch);
      expect(name === "plain" || resent === 0).toBe(true);
    }

    await influxd.query(`DROP DATABASE "${database}"`);
    const replay = await fetch(`${platform.ready.http}/api/v1/deadletters/replay`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(replay.status).toBe(200);
    for (const name of city.loads.keys()) {
      expect(await platform.settled(name, ({ refused }) => refused === 0)).toMatchObject({ balanced: true });
    }
    expect(await platform.end("SIGTERM")).toBe(0);
    await expectKept(
      annotate,
      { fault: "kill -9 of the platform while InfluxDB refuses everything", tried: kills },
      await rowsIn(city),
      city.loads,
    );
  });
});
