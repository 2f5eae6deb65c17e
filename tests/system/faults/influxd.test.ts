import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { type MqttLoad, readingsPerBatch, startLoad } from "../../support/mqtt-load.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { kills } from "../../support/soak.ts";
import { SteadyReadings } from "../../support/steady-readings.ts";
import { influxRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { untilAcknowledged } from "./support.ts";

const there = await requireDebian("influxdb");
const note = there ? "" : ` (${whySkipped("influxdb")})`;
const database = "city";
const agency = "mobility";
const readingsPerSecond = 2_000;
const gateways = [{ name: "numbered", outbox: randomUUID() }, { name: "plain" }] as const;

interface City extends AsyncDisposable {
  readonly folder: string;
  readonly influxd: Influxd;
  readonly loads: ReadonlyMap<string, { readonly load: MqttLoad; readonly readings: SteadyReadings }>;
  platform: Platform | undefined;
  start(): Promise<Platform>;
}

/** An influxd, and two gateways that together send so many readings a second to whatever platform there is. */
async function startCity(rate = readingsPerSecond): Promise<City> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(tempFolder("influx-faults")).path;
  const influxd = stack.use(await startInfluxd({ folder }));
  const loads = new Map<string, { load: MqttLoad; readings: SteadyReadings }>();
  const city: City = {
    folder,
    influxd,
    loads,
    platform: undefined,
    start: () => startPlatform({ folder, args: influxArgs(influxd) }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
  for (const { name, ...way } of gateways) {
    const identity = { name, agency };
    const password = await admitGateway(dataFolder(folder), identity);
    const readings = new SteadyReadings(name, Date.now() - 3_600_000);
    const port = (): number | undefined => city.platform?.mqttPort;
    const load = startLoad({
      identity,
      password,
      readings,
      rate: rate / gateways.length,
      port,
      ...way,
    });
    loads.set(name, { load: stack.use(load), readings });
  }
  const all = stack.move();
  return city;
}

function influxArgs({ url }: Influxd): string[] {
  return ["--store", "influxdb", "--influx-url", url, "--influx-db", database, "--influx-timeout", "2000"];
}

/** Kills the platform `kills` times, each after so many batches of every gateway. */
async function killUnderLoad(city: City, batches: number): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    await using platform = await city.start();
    city.platform = platform;
    await untilAcknowledged(city, batches);
    await sleep(Math.random() * 300);
    city.platform = undefined;
    await platform.end("SIGKILL");
  }
}

/** So many more batches of each gateway are acknowledged; meanwhile every ledger balances at every moment. */
/** Nothing new is sent; the ledgers come to rest and balance. */
async function settle({ loads }: City, platform: Platform): Promise<void> {
  await Promise.all(Array.from(loads.values(), ({ load }) => load.drain()));
  for (const name of loads.keys()) {
    expect(await platform.settled(name)).toMatchObject({
      refused: 0,
      balanced: true,
      on_its_way: { waiting: 0, journal: 0, missing: 0 },
    });
  }
}

/** InfluxDB has what was acknowledged, each key once with its value, and nothing that nobody sent. */
async function expectKept({ folder, influxd, loads }: City): Promise<void> {
  const { count, rows } = await influxRows(dataFolder(folder), "traffic_flow", {
    url: influxd.url,
    database,
  });
  expect(count).toBe(rows.length);
  const byGateway = Map.groupBy(rows, ({ sensor }) => sensor.split(".")[0]!);
  expect([...byGateway.keys()].sort()).toEqual([...loads.keys()].sort());
  for (const [name, { load, readings }] of loads) {
    const own = byGateway.get(name)!;
    const numbers = new Set(own.map((row) => readings.numberOf(row)));
    expect(numbers.size).toBe(own.length);
    const owed = Array.from(load.acknowledged).flatMap((batch) =>
      Array.from({ length: readingsPerBatch }, (_, i) => batch * readingsPerBatch + i),
    );
    expect({ name, lost: owed.filter((number) => !numbers.has(number)) }).toEqual({ name, lost: [] });
    expect(Math.max(...numbers)).toBeLessThan(load.offered * readingsPerBatch);
  }
}

describe.skipIf(!there)(`a platform whose store is InfluxDB${note}`, () => {
  test(`influxd killed ${kills} x under load: readings are acknowledged meanwhile, /readyz says why, nothing is lost or twice`, async () => {
    await using city = await startCity();
    await using platform = await city.start();
    city.platform = platform;
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
      await poll(async () => (await platform.health()).ready);
    }
    await untilAcknowledged(city, 10);
    await settle(city, platform);
    expect(await platform.end("SIGTERM")).toBe(0);
    await expectKept(city);
  });

  test("influxd that hangs: readings are acknowledged meanwhile, the platform still ends in time, and nothing is lost or twice", async () => {
    await using city = await startCity();
    {
      await using platform = await city.start();
      city.platform = platform;
      await untilAcknowledged(city, 30);
      await city.influxd.pause();
      await untilAcknowledged(city, 60);
      await poll(async () =>
        (await platform.health()).parts
          .find(({ name }) => name === "store")
          ?.why?.includes("no answer within"),
      );
      city.platform = undefined;
      const asked = performance.now();
      expect(await platform.end("SIGTERM")).toBe(0);
      expect(performance.now() - asked).toBeLessThan(5_000);
    }
    await using platform = await city.start(); // with a store that still hangs
    city.platform = platform;
    await untilAcknowledged(city, 20);
    city.influxd.resume();
    await settle(city, platform);
    expect(await platform.end("SIGTERM")).toBe(0);
    await expectKept(city);
  });

  test(`the platform killed ${kills} x with -9 under load: what was acknowledged is in InfluxDB once, and the ledger balances`, async () => {
    await using city = await startCity();
    await killUnderLoad(city, 40);
    await using platform = await city.start();
    city.platform = platform;
    await untilAcknowledged(city, 10);
    await settle(city, platform);
    expect(await platform.end("SIGTERM")).toBe(0);
    await expectKept(city);
  });

  test(`the platform killed ${kills} x with -9 while InfluxDB refuses everything: each reading is one dead letter's, counted once, and can be stored later`, async () => {
    await using city = await startCity(400);
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
    await expectKept(city);
  });
});
