import { createSocket } from "node:dgram";
import { describe, expect, test } from "vitest";
import { type Broker, openAedes, openMosquitto } from "../../support/brokers.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { openHoldingBroker } from "../../support/holding-broker.ts";
import { poll } from "../../support/poll.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { Received } from "./received.ts";
import { config, line, lines, openAgent, openSensor } from "./support.ts";

const brokers: { name: string; open: (folder: string) => Promise<Broker>; missing: string | undefined }[] = [
  { name: "aedes", open: () => openAedes(), missing: undefined },
  {
    name: "mosquitto",
    open: openMosquitto,
    missing: (await requireDebian("mosquitto")) ? undefined : whySkipped("mosquitto"),
  },
];

describe.each(brokers)("with $name", ({ open, missing }) => {
  test("ten thousand lines over TCP arrive, each with its own number and none missing", async ({ skip }) => {
    skip(missing !== undefined, missing);
    using folder = tempFolder("edge");
    await using broker = await open(folder.path);
    const received = new Received();
    broker.onMessage = received.take;
    await using agent = await openAgent(config({ mqttPort: broker.port, data: folder.path }));
    using sensor = await openSensor(agent.inputs[0]!.address);
    await sensor.send(lines(0, 10_000));
    await poll(() => agent.stats().acknowledged === 10_000);
    await poll(() => received.count === 10_000);
    expect(received.lines()).toEqual(lines(0, 10_000));
    expect(received.contiguous).toBe(true);
    expect(received.repeats).toBe(0);
    expect(agent.stats()).toMatchObject({
      received: 10_000,
      batched: 10_000,
      backlog: 0,
      resentBatches: 0,
      connected: true,
    });
  });

  test("a link that breaks again and again costs repeats with the same numbers, and no reading", async ({
    skip,
  }) => {
    skip(missing !== undefined, missing);
    using folder = tempFolder("edge");
    await using broker = await open(folder.path);
    const received = new Received();
    broker.onMessage = received.take;
    await using proxy = await openTcpProxy(broker.port);
    proxy.delay = 2;
    await using agent = await openAgent(config({ mqttPort: proxy.port, data: folder.path }));
    using sensor = await openSensor(agent.inputs[0]!.address);
    for (let part = 0; part < 10; part += 1) {
      const before = proxy.bytes.up;
      await sensor.send(lines(part * 2000, (part + 1) * 2000));
      await poll(() => proxy.bytes.up - before > 20_000);
      proxy.cut();
    }
    await poll(() => agent.stats().acknowledged === 20_000);
    await poll(() => received.count === 20_000);
    expect(received.lines()).toEqual(lines(0, 20_000));
    expect(received.contiguous).toBe(true);
    expect(received.contradictions).toEqual([]);
    expect(proxy.connections).toBeGreaterThan(5);
    expect(received.births.length).toBeGreaterThan(5);
    expect(agent.stats().resentBatches).toBeGreaterThan(0);
  });

  test("a broker that is away for a while gets all that happened meanwhile", async ({ skip }) => {
    skip(missing !== undefined, missing);
    using folder = tempFolder("edge");
    await using broker = await open(folder.path);
    const received = new Received();
    broker.onMessage = received.take;
    await using agent = await openAgent(config({ mqttPort: broker.port, data: folder.path }));
    using sensor = await openSensor(agent.inputs[0]!.address);
    await sensor.send(lines(0, 500));
    await poll(() => agent.stats().acknowledged === 500);
    await broker.stop();
    await sensor.send(lines(500, 30_000));
    await poll(() => agent.stats().batched === 30_000 && !agent.stats().connected);
    expect(agent.stats().backlog).toBe(29_500);
    await broker.start();
    await poll(() => received.count === 30_000);
    expect(received.lines()).toEqual(lines(0, 30_000));
    expect(received.contiguous).toBe(true);
    await poll(() => agent.stats().backlog === 0);
  });
});

test("readings in datagrams arrive, and those without a time get that of their arrival", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  const inputs = [{ type: "lines", listen: "udp://127.0.0.1:0" }];
  const batch = { max_bytes: 65_536, max_age_ms: 50 };
  await using agent = await openAgent(config({ mqttPort: broker.port, data: folder.path, inputs, batch }));
  const socket = createSocket("udp4");
  const [host, port] = agent.inputs[0]!.address.split(":");
  const before = Date.now();
  for (let i = 0; i < 100; i += 1) {
    await new Promise((resolve) => {
      socket.send(`${line(2 * i)}\ntraffic_flow,sensor=tf-1 vehicles=${i}`, Number(port), host, resolve);
    });
  }
  await poll(() => received.count === 200);
  socket.close();
  const timed = received.lines().filter((_, index) => index % 2 === 1);
  for (const [i, text] of timed.entries()) {
    const [key, fields, time] = text.split(" ");
    expect([key, fields]).toEqual(["traffic_flow,sensor=tf-1", `vehicles=${i}`]);
    expect(Number(time)).toBeGreaterThanOrEqual(before);
    expect(Number(time)).toBeLessThanOrEqual(Date.now());
  }
});

test("live readings do not wait for a long backlog", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using proxy = await openTcpProxy(broker.port);
  proxy.closed = true;
  await using agent = await openAgent(config({ mqttPort: proxy.port, data: folder.path }));
  using sensor = await openSensor(agent.inputs[0]!.address);
  // More than the agent keeps in memory, so that the oldest must come from disk.
  await sensor.send(lines(0, 40_000));
  await poll(() => agent.stats().batched === 40_000);
  proxy.rate = 500_000;
  proxy.closed = false;
  await poll(() => received.count > 1000);
  await sensor.send(lines(40_000, 40_010));
  await poll(() => received.lines().at(-1) === line(40_009));
  expect(received.count).toBeLessThan(30_000);
  proxy.rate = Infinity;
  await poll(() => received.count === 40_010);
  expect(received.lines()).toEqual(lines(0, 40_010));
  expect(received.repeats).toBe(0);
});

test("a connection that has gone silent is given up, and its batches go over the next", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using proxy = await openTcpProxy(broker.port);
  await using agent = await openAgent(config({ mqttPort: proxy.port, data: folder.path, keepalive_s: 1 }));
  using sensor = await openSensor(agent.inputs[0]!.address);
  await sensor.send(lines(0, 100));
  await poll(() => agent.stats().acknowledged === 100);
  proxy.silent = true;
  await sensor.send(lines(100, 200));
  await poll(() => !agent.stats().connected);
  proxy.silent = false;
  await poll(() => received.count === 200);
  expect(received.contradictions).toEqual([]);
});

test("PUBACKs that are long in coming are waited for as long as pings are answered", async () => {
  using folder = tempFolder("edge");
  await using broker = await openHoldingBroker();
  await using agent = await openAgent(config({ mqttPort: broker.port, data: folder.path, keepalive_s: 1 }));
  using sensor = await openSensor(agent.inputs[0]!.address);
  await sensor.send(lines(0, 5000));
  const heldBatches = (): number => broker.held.filter((topic) => topic.endsWith("/up/lp")).length;
  await poll(() => broker.pings >= 4 && heldBatches() === 8);
  expect(agent.stats()).toMatchObject({ connected: true, acknowledged: 0, resentBatches: 0 });
  broker.letGo();
  await poll(() => agent.stats().acknowledged === 5000);
  expect(broker.connections).toBe(1);
  expect(agent.stats().resentBatches).toBe(0);
});
