import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openAedes } from "../../support/brokers.ts";
import { startEdge } from "../../support/edge.ts";
import { openRowDevice, rowMap, rowTime } from "../../support/modbus/row-device.ts";
import { poll } from "../../support/poll.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { Received } from "./received.ts";
import { config, openAgent } from "./support.ts";

function inputs(port: number, units: readonly number[]): object[] {
  const devices = units.map((unit) => ({ unit, sensor: `wf-${unit}`, map: "logger" }));
  return [{ type: "modbus", connect: `tcp://127.0.0.1:${port}`, poll_ms: 50, timeout_ms: 500, devices }];
}

/** A unit's rows by their event times; several where one came more than once. */
function rowsOf(received: Received, unit: number): number[] {
  return received.lines().flatMap((line) => {
    const [, sensor, flow, time] = /^water_flow,sensor=wf-(\d) flow=(\d+) (\d+)$/.exec(line) ?? [];
    expect(Number(time)).toBe(rowTime(Number(flow)));
    return Number(sensor) === unit ? [Number(flow)] : [];
  });
}

const all = (rows: number): number[] => Array.from({ length: rows }, (_, row) => row);

test("loggers' rows are fetched one after the other, each once, however often their connection is cut", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  await using device = await openRowDevice(200);
  await using link = await openTcpProxy(device.port);
  const received = new Received();
  broker.onMessage = received.take;
  const settings = config({
    mqttPort: broker.port,
    data: folder.path,
    inputs: inputs(link.port, [1, 2, 3]),
    register_maps: { logger: rowMap },
  });
  await using _agent = await openAgent(settings);
  for (let cut = 1; cut <= 6; cut++) {
    await poll(() => device.row(2) >= 25 * cut, { interval: 5 });
    link.cut();
  }
  await poll(() => received.count >= 600);
  await sleep(200); // an unchanged row is not sent again
  for (const unit of [1, 2, 3]) expect(rowsOf(received, unit)).toEqual(all(200));
  expect(link.connections).toBeGreaterThan(6);
});

test("no row is lost when the agent is killed between fetching and keeping it", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  await using device = await openRowDevice(500);
  const received = new Received();
  broker.onMessage = received.take;
  const start = (): ReturnType<typeof startEdge> =>
    startEdge({
      folder: folder.path,
      gateway: "corniche-1",
      agency: "water",
      password: "secret",
      mqttPort: broker.port,
      sensors: ["wf-1"],
      // So old that a row would be lost if the agent asked for the next one before this one was on disk.
      settings: {
        inputs: inputs(device.port, [1]),
        register_maps: { logger: rowMap },
        batch: { max_age_ms: 30_000 },
      },
    });
  for (let kill = 1; kill <= 3; kill++) {
    await using edge = await start();
    await poll(() => device.row(1) >= 100 * kill, { interval: 1 });
    await edge.end("SIGKILL");
  }
  await using _edge = await start();
  await poll(() => device.row(1) === 499 && new Set(rowsOf(received, 1)).size === 500);
  expect([...new Set(rowsOf(received, 1))].sort((a, b) => a - b)).toEqual(all(500));
  expect(received.contradictions).toEqual([]);
});

test("a row whose time is none is not lost: it goes as it stands, for the platform to refuse", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const unset = 2n ** 64n - 1n;
  await using device = await openRowDevice(6, (row) => (row === 3 ? unset : BigInt(rowTime(row))));
  const received = new Received();
  broker.onMessage = received.take;
  const settings = config({
    mqttPort: broker.port,
    data: folder.path,
    inputs: inputs(device.port, [1]),
    register_maps: { logger: rowMap },
  });
  await using agent = await openAgent(settings);
  await poll(() => received.count >= 6);
  expect(received.lines()[3]).toBe(`water_flow,sensor=wf-1 flow=3 ${Number(unset)}`);
  expect(agent.stats()).toMatchObject({ received: 6, readFailures: 1, silentDevices: 0 });
});

test("a logger that was started anew and counts from the same number again is heard", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  let start = 0;
  await using device = await openRowDevice(1, () => BigInt(rowTime(0) + start));
  const received = new Received();
  broker.onMessage = received.take;
  const settings = config({
    mqttPort: broker.port,
    data: folder.path,
    inputs: inputs(device.port, [1]),
    register_maps: { logger: rowMap },
  });
  await using _agent = await openAgent(settings);
  await poll(() => received.count === 1);
  start = 60_000;
  await poll(() => received.count === 2);
  expect(received.lines()[1]).toBe(`water_flow,sensor=wf-1 flow=0 ${rowTime(0) + 60_000}`);
});
