import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { committedReadings, type Edge, startEdge } from "../../support/edge.ts";
import { reportFault } from "../../support/fault-report.ts";
import { startLines } from "../../support/line-load.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { kills } from "../../support/soak.ts";
import { SteadyReadings } from "../../support/steady-readings.ts";
import { type StoredRow, storedRows } from "../../support/stored-rows.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { agency, readyAgain, type Start, startCity, startTimed } from "./city.ts";
import { expectBalance, expectReadyAgain, settle, untilAcknowledged } from "./support.ts";
import { expectKept } from "./verdict.ts";

const readingsPerSecond = 2000;

/** Throws for what was invented. */
function distinctNumbers(readings: SteadyReadings, rows: readonly StoredRow[]): Set<number> {
  return new Set(rows.map((row) => readings.numberOf(row)));
}

test(`what was acknowledged survives ${kills} x kill -9 of the platform under load, once, and the ledger balances`, async ({
  annotate,
}) => {
  using folder = tempFolder("kill");
  await using city = await startCity({ folder: folder.path });
  const starts: Start[] = [];
  const start = async (): Promise<Platform> => {
    const { platform, took } = await startTimed(city, () => startPlatform({ folder: folder.path }));
    starts.push(took);
    return platform;
  };
  for (let kill = 0; kill < kills; kill++) {
    await using platform = await start();
    await untilAcknowledged(city, 40);
    await expectBalance(platform);
    await sleep(Math.random() * 300); // at any moment of a commit or a write
    city.platform = undefined;
    await platform.end("SIGKILL");
  }
  await using platform = await start();
  await untilAcknowledged(city, 20);
  await settle(city, platform);
  await expectBalance(platform);
  expect(await platform.end("SIGTERM")).toBe(0);
  const again = starts.slice(1);
  const measured = readyAgain(again);
  await expectKept(
    annotate,
    { fault: "kill -9 of the platform, DuckDB behind it", tried: kills, measured },
    await storedRows(dataFolder(folder.path), "traffic_flow"),
    city.loads,
  );
  expectReadyAgain(again);
});

test("told to end under load the platform ends in time with exit code 0, and what it acknowledged is in the store", async ({
  annotate,
}) => {
  using folder = tempFolder("kill");
  await using city = await startCity({ folder: folder.path });
  await using platform = await startPlatform({ folder: folder.path });
  city.platform = platform;
  await untilAcknowledged(city, 40);
  city.platform = undefined;
  const begun = performance.now();
  expect(await platform.end("SIGTERM")).toBe(0);
  const end_ms = Math.round(performance.now() - begun);
  expect(end_ms).toBeLessThan(5_000);
  // What it acknowledged and had not stored is in the journal: the next start stores it, and takes what comes.
  await using next = await startPlatform({ folder: folder.path });
  city.platform = next;
  await untilAcknowledged(city, 10);
  await settle(city, next);
  expect(await next.end("SIGTERM")).toBe(0);
  await expectKept(
    annotate,
    { fault: "SIGTERM under load, DuckDB behind it", tried: 2, measured: { "ended, ms": end_ms } },
    await storedRows(dataFolder(folder.path), "traffic_flow"),
    city.loads,
  );
});

test(`what the agent's outbox had committed survives ${kills} x kill -9 of the agent under load, and is stored once`, async ({
  annotate,
}) => {
  using folder = tempFolder("kill");
  const identity = { name: "corniche-1", agency };
  const password = await admitGateway(dataFolder(folder.path), identity);
  const readings = new SteadyReadings(identity.name, Date.now() - 3_600_000);
  await using platform = await startPlatform({ folder: folder.path });
  const startAgent = (): Promise<Edge> =>
    startEdge({
      folder: folder.path,
      gateway: identity.name,
      agency,
      password,
      mqttPort: platform.mqttPort,
      sensors: readings.sensors,
    });
  let input: string | undefined;
  await using lines = startLines({ readings, rate: readingsPerSecond, input: () => input });
  const committed: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    await using edge = await startAgent();
    input = edge.input;
    const goal = lines.written + readingsPerSecond;
    await poll(() => lines.written >= goal);
    await sleep(Math.random() * 300);
    input = undefined;
    await edge.end("SIGKILL");
    committed.push(committedReadings(folder.path, identity.name));
  }
  await using edge = await startAgent();
  input = edge.input;
  const goal = lines.written + readingsPerSecond;
  await poll(() => lines.written >= goal);
  await lines[Symbol.asyncDispose]();
  expect(await edge.end("SIGTERM")).toBe(0);
  committed.push(committedReadings(folder.path, identity.name));
  const all = committed.at(-1)!;

  // What no platform has acknowledged is sent by the next start.
  await using _last = await startAgent();
  const account = await platform.settled(identity.name, ({ sent, duplicate }) => sent - duplicate >= all);
  expect(account).toMatchObject({
    sent: all + account.duplicate,
    stored: all,
    refused: 0,
    on_its_way: { waiting: 0, missing: 0 },
  });
  await expectBalance(platform);
  expect(await platform.end("SIGTERM")).toBe(0);
  const { count, rows } = await storedRows(dataFolder(folder.path), "traffic_flow");
  const stored = distinctNumbers(readings, rows);
  await reportFault(annotate, {
    fault: "kill -9 of the agent under load",
    tried: kills,
    sent: lines.written,
    acknowledged: all,
    lost: all - stored.size,
    twice: Math.max(count, rows.length) - stored.size,
  });
  expect(count).toBe(stored.size);
  expect(rows.length).toBe(stored.size);
  expect(stored.size).toBe(all);
  // Lost are lines in flight to a killed agent alone: less than a second of them.
  expect(Math.max(...stored)).toBeLessThan(lines.written);
  expect(lines.written - all).toBeLessThan(kills * readingsPerSecond);
  expect(committed.every((count, i) => i === 0 || count > committed[i - 1]!)).toBe(true);
});

test(`every line that an agent took is stored once, although the platform is killed ${kills} x meanwhile`, async ({
  annotate,
}) => {
  using folder = tempFolder("kill");
  const identity = { name: "corniche-1", agency };
  const password = await admitGateway(dataFolder(folder.path), identity);
  const readings = new SteadyReadings(identity.name, Date.now() - 3_600_000);
  let platform: Platform | undefined;
  // The platform comes back on another port; while it is gone nobody answers on this one.
  await using proxy = await openTcpProxy(() => platform?.mqttPort ?? 1);
  await using edge = await startEdge({
    folder: folder.path,
    gateway: identity.name,
    agency,
    password,
    mqttPort: proxy.port,
    sensors: readings.sensors,
  });
  await using lines = startLines({ readings, rate: readingsPerSecond, input: () => edge.input });
  for (let kill = 0; kill < kills; kill++) {
    await using running = await startPlatform({ folder: folder.path });
    platform = running;
    await running.settled(
      identity.name,
      ({ connected, sent }) => connected && sent > kill * readingsPerSecond,
    );
    await sleep(500 + Math.random() * 300);
    platform = undefined;
    await running.end("SIGKILL");
  }
  await using last = await startPlatform({ folder: folder.path });
  platform = last;
  await lines[Symbol.asyncDispose]();
  expect(
    await last.settled(identity.name, ({ sent, duplicate }) => sent - duplicate >= lines.written),
  ).toMatchObject({
    stored: lines.written,
    refused: 0,
    on_its_way: { waiting: 0, missing: 0 },
  });
  await expectBalance(last);
  expect(await last.end("SIGTERM")).toBe(0);
  const { count, rows } = await storedRows(dataFolder(folder.path), "traffic_flow");
  const stored = distinctNumbers(readings, rows);
  await reportFault(annotate, {
    fault: "kill -9 of the platform, an agent before it",
    tried: kills,
    sent: lines.written,
    acknowledged: lines.written,
    lost: lines.written - stored.size,
    twice: Math.max(count, rows.length) - stored.size,
  });
  expect(count).toBe(lines.written);
  expect(rows.length).toBe(stored.size);
  expect(stored.size).toBe(lines.written);
});
