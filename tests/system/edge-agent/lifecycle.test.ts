import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { hasCode } from "#runtime/errors.ts";
import { Birth } from "#telemetry/birth.ts";
import { formatNack, formatRebirth } from "#telemetry/nack.ts";
import { GatewayStatus } from "#telemetry/status.ts";
import { openAedes } from "../../support/brokers.ts";
import { poll } from "../../support/poll.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { Received } from "./received.ts";
import { config, lines, openAgent, openSensor } from "./support.ts";

async function anyFreeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** A port where nothing listens. */
const nowhere = 1;

test("every connection begins with the birth: the sensors of the configuration, and the gateway itself", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  const topics: string[] = [];
  broker.onMessage = (message) => {
    topics.push(message.topic);
    received.take(message);
  };
  await using agent = await openAgent(config({ mqttPort: broker.port, data: folder.path }));
  using sensor = await openSensor(agent.inputs[0]!.address);
  await sensor.send(lines(0, 10));
  await poll(() => received.count === 10);
  expect(topics).toEqual(["birth", "status", "up/lp"].map((level) => `marsad/mobility/corniche-1/${level}`));
  const birth = Birth.parse(JSON.parse(received.births[0]!));
  expect(birth.sensors).toMatchObject([
    { id: "tf-1", place: "QA-DA", role: "detector" },
    { id: "corniche-1", place: "QA-DA", role: "gateway" },
  ]);
});

test("the status is online while connected, and offline after an orderly end and after a lost link", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using proxy = await openTcpProxy(broker.port);
  const online = (): boolean[] =>
    received.statuses.map((text) => GatewayStatus.parse(JSON.parse(text)).online);
  {
    await using agent = await openAgent(config({ mqttPort: proxy.port, data: folder.path }));
    await poll(() => agent.stats().connected);
    proxy.cut();
    await poll(() => online().length === 3);
    expect(online()).toEqual([true, false, true]);
  }
  await poll(() => online().length === 4);
  expect(online()).toEqual([true, false, true, false]);
});

test("a rebirth is answered with the birth, and a nack is counted", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using agent = await openAgent(config({ mqttPort: broker.port, data: folder.path }));
  await poll(() => agent.stats().connected);
  const rebirth = formatRebirth({ reason: "unknown-sensor" });
  // Requests just after a birth are not answered: the birth was on its way.
  await poll(async () => {
    await broker.publish("marsad/mobility/corniche-1/down/rebirth", rebirth);
    return received.births.length === 2;
  });
  expect(received.births[1]).toBe(received.births[0]);
  const rejections = [{ reason: "no-time", detail: "no time", bytes: Buffer.from("x") }] as const;
  await broker.publish("marsad/mobility/corniche-1/down/nack", formatNack({ count: 3, rejections }));
  await broker.publish("marsad/mobility/corniche-1/down/nack", "not a nack");
  await broker.publish("marsad/mobility/corniche-1/down/config", "{}");
  await poll(() => agent.stats().refused === 3);
});

test("an agent that ends keeps what it took, and the next run brings it with its numbers", async () => {
  using folder = tempFolder("edge");
  {
    await using agent = await openAgent(config({ mqttPort: nowhere, data: folder.path }));
    using sensor = await openSensor(agent.inputs[0]!.address);
    await sensor.send(lines(0, 3000));
    await sensor.end();
    await poll(() => agent.stats().received === 3000);
  }
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using agent = await openAgent(config({ mqttPort: broker.port, data: folder.path }));
  expect(agent.stats().backlog).toBe(3000);
  using sensor = await openSensor(agent.inputs[0]!.address);
  await sensor.send(lines(3000, 3100));
  await poll(() => received.count === 3100);
  expect(received.lines()).toEqual(lines(0, 3100));
  expect(received.outboxes).toBe(1);
  expect(received.contiguous).toBe(true);
  await poll(() => agent.stats().backlog === 0);
});

test("after an orderly end nothing that was acknowledged is sent again", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  for (let run = 0; run < 3; run += 1) {
    await using agent = await openAgent(config({ mqttPort: broker.port, data: folder.path }));
    using sensor = await openSensor(agent.inputs[0]!.address);
    await sensor.send(lines(run * 100, (run + 1) * 100));
    await poll(() => agent.stats().acknowledged === 100);
  }
  expect(received.count).toBe(300);
  expect(received.repeats).toBe(0);
});

test("a refused password is tried again, read anew from its file, until somebody has mended it", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes({ passwords: { "corniche-1": "right" } });
  const received = new Received();
  broker.onMessage = received.take;
  const file = join(folder.path, "password");
  await writeFile(file, "wrong\n");
  const settings = config({
    mqttPort: broker.port,
    data: folder.path,
    password: undefined,
    password_file: file,
  });
  await using agent = await openAgent(settings);
  using sensor = await openSensor(agent.inputs[0]!.address);
  await sensor.send(lines(0, 100));
  await poll(() => agent.stats().batched === 100);
  expect(agent.stats().connected).toBe(false);
  await writeFile(file, "right\n");
  await poll(() => received.count === 100);
});

test("the gateway reports on itself", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using _agent = await openAgent(
    config({ mqttPort: broker.port, data: folder.path, health_period_s: 0.2 }),
  );
  await poll(() => received.count >= 2);
  expect(received.lines()[0]).toMatch(
    /^gateway_health,sensor=corniche-1 backlog=\d+,resent=0,disk_free=[\d.]+ \d{13}$/,
  );
});

test("a second agent on the same folder is refused, and so is a taken port", async () => {
  using folder = tempFolder("edge");
  using other = tempFolder("edge");
  await using agent = await openAgent(config({ mqttPort: nowhere, data: folder.path }));
  await expect(openAgent(config({ mqttPort: nowhere, data: folder.path }))).rejects.toSatisfy((error) =>
    hasCode(error, "DATA_LOCKED"),
  );
  const inputs = [{ type: "lines", listen: `tcp://${agent.inputs[0]!.address}`, max_line_bytes: 512 }];
  await expect(openAgent(config({ mqttPort: nowhere, data: other.path, inputs }))).rejects.toSatisfy(
    (error) => hasCode(error, "ADDRESS_IN_USE"),
  );
});

test("lines that are too long or cut short are counted, and their neighbours arrive", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using agent = await openAgent(config({ mqttPort: broker.port, data: folder.path }));
  using sensor = await openSensor(agent.inputs[0]!.address);
  const [first, second] = lines(0, 2);
  sensor.socket.write(
    `${first}\n${"x".repeat(5000)}\n\n# a comment\n${second}\ntraffic_flow,sensor=tf-1 veh`,
  );
  await sensor.end();
  await poll(() => received.count === 2);
  expect(received.lines()).toEqual([first, second]);
  expect(agent.stats()).toMatchObject({ received: 2, rejectedLines: 2 });
});

test("lines that only the new batches hold are whole although they come while the other inputs are being opened", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  const small = config({ mqttPort: broker.port, data: folder.path });
  await using agent = await openAgent(small);
  const port = await anyFreeUdpPort();
  const inputs = [
    { type: "lines", listen: `udp://127.0.0.1:${port}`, max_line_bytes: 16_384 },
    ...Array.from({ length: 20 }, () => ({ type: "lines", listen: "tcp://localhost:0" })),
  ];
  const long = `traffic_flow,sensor=tf-1 ${"x".repeat(8000)}=1 1763860000000`;
  using resources = new DisposableStack();
  const socket = resources.adopt(createSocket("udp4").bind(0, "127.0.0.1"), (open) => void open.close());
  await once(socket, "listening");
  const changed = new AbortController();
  const sending = (async () => {
    for (; !changed.signal.aborted; await setImmediate()) socket.send(`${long}\n`, port, "127.0.0.1");
  })();
  const next = config({ ...small, mqttPort: broker.port, inputs, batch: { max_bytes: 65_536 } });
  await agent.reconfigure(next).finally(() => changed.abort());
  await sending;
  socket.send(`${long}\n`, port, "127.0.0.1");
  await poll(() => received.count > 0 && received.count === agent.stats().received);
  expect(new Set(received.lines())).toEqual(new Set([long]));
});

test("a configuration that comes after the end opens nothing", async () => {
  using folder = tempFolder("edge");
  const settings = config({ mqttPort: 1, data: folder.path });
  const agent = await openAgent(settings);
  await agent[Symbol.asyncDispose]();
  await agent.reconfigure({ ...settings, inputs: [...settings.inputs, ...settings.inputs] });
  expect(agent.inputs).toEqual([]);
});
