import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { type IServiceVector, ServerTCP } from "modbus-serial";
import { describe, expect, test } from "vitest";
import { openAedes } from "../../support/brokers.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import {
  neededPackages,
  openPymodbus,
  openSerialLine,
  requirePymodbus,
} from "../../support/modbus/pymodbus.ts";
import { floatWords, openScriptedDevice } from "../../support/modbus/scripted-device.ts";
import { poll } from "../../support/poll.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { Received } from "./received.ts";
import { config, line, openAgent, openSensor } from "./support.ts";

const hasPymodbus = await requirePymodbus();
const hasSocat = await requireDebian("socat");
const missing = whySkipped(neededPackages.join(" and "));

/** One float, where every device of these tests has it. */
const flowMap = { measurement: "water_flow", fields: { flow: { register: 0, type: "f32", unit: "L/s" } } };

function bus(port: number, devices: object[], more: object = {}): object {
  return {
    type: "modbus",
    connect: `tcp://127.0.0.1:${port}`,
    poll_ms: 20,
    timeout_ms: 200,
    devices,
    ...more,
  };
}

/** The bytes of one float. */
function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return bytes;
}

/** How many readings of a sensor have come. */
function countOf(received: Received, sensor: string): number {
  return received.lines().filter((line) => line.includes(`sensor=${sensor} `)).length;
}

describe("devices of another make:", () => {
  const everything = {
    measurement: "energy_meter",
    gap: 2,
    fields: {
      power: { register: 10, type: "f32", order: "CDAB", unit: "W" },
      import_total: { register: 12, type: "u64", order: "DCBA", scale: 0.001, unit: "kWh" },
      export_total: { register: 16, type: "f64", order: "BADC", unit: "kWh" },
      voltage: { register: 100, type: "u16", table: "input", scale: 0.1, unit: "V" },
      current: { register: 101, type: "i32", table: "input", order: "CDAB", scale: -0.001, unit: "A" },
      pf: { register: 103, type: "i16", table: "input", scale: 0.001 },
    },
  };
  const store = {
    measurement: "cold_storage",
    fields: {
      temp: { register: 0, type: "i16", scale: 0.1, unit: "Cel" },
      door_open: { register: 5, type: "bool", table: "discrete" },
      compressor_on: { register: 2, type: "bool", bit: 9 },
      humidity: { register: 7, type: "bool", table: "coil", scale: 100, unit: "%" },
    },
  };

  test("every table, type and order arrives as the value that was put in", async ({ skip }) => {
    skip(!hasPymodbus, missing);
    using folder = tempFolder("edge");
    await using broker = await openAedes();
    await using devices = await openPymodbus();
    const f64 = Buffer.alloc(8);
    f64.writeDoubleBE(1234.567_890_123);
    f64.swap16();
    await devices.set(1, "holding", 10, floatWords(1850.5).toReversed());
    // 9,007,199,254,740,991 with all of its bytes turned round
    await devices.set(1, "holding", 12, [0xffff, 0xffff, 0xffff, 0x1f00]);
    await devices.set(
      1,
      "holding",
      16,
      [0, 2, 4, 6].map((at) => f64.readUInt16BE(at)),
    );
    await devices.set(1, "input", 100, [2301, 0xd8f0, 0xffff, 0xfc18]);
    await devices.set(2, "holding", 0, [0xff38, 0, 0x0200]);
    await devices.set(2, "discrete", 5, [true]);
    await devices.set(2, "coil", 7, [false]);
    const received = new Received();
    broker.onMessage = received.take;
    await using _agent = await openAgent(
      config({
        mqttPort: broker.port,
        data: folder.path,
        inputs: [
          bus(devices.port, [
            { unit: 1, sensor: "em-1", map: "everything" },
            { unit: 2, sensor: "cs-2", map: "store" },
          ]),
        ],
        register_maps: { everything, store },
      }),
    );
    await poll(() => countOf(received, "em-1") > 2 && countOf(received, "cs-2") > 2);
    const seen = new Set(received.lines().map((line) => line.replace(/ \d+$/, "")));
    expect(seen).toEqual(
      new Set([
        `energy_meter,sensor=em-1 power=1.8505,import_total=${9_007_199_254_740_991 / 1000},export_total=1234.567890123,voltage=230.1,current=10,pf=-1`,
        "cold_storage,sensor=cs-2 temp=-20,door_open=1,compressor_on=1,humidity=0",
      ]),
    );
  });

  test("a device that is not there, and one without such registers, do not keep the others from being read", async ({
    skip,
  }) => {
    skip(!hasPymodbus, missing);
    using folder = tempFolder("edge");
    await using broker = await openAedes();
    await using devices = await openPymodbus();
    await devices.set(1, "holding", 0, floatWords(1.5));
    await devices.set(2, "holding", 100, [1]);
    const received = new Received();
    broker.onMessage = received.take;
    await using agent = await openAgent(
      config({
        mqttPort: broker.port,
        data: folder.path,
        inputs: [
          bus(devices.port, [
            { unit: 2, sensor: "wf-2", map: "flow" },
            { unit: 9, sensor: "wf-9", map: "flow" },
            { unit: 1, sensor: "wf-1", map: "flow" },
          ]),
        ],
        register_maps: { flow: flowMap },
      }),
    );
    await poll(() => countOf(received, "wf-1") > 5);
    expect(received.lines().every((line) => line.includes("sensor=wf-1 flow=1.5 "))).toBe(true);
    expect(agent.stats()).toMatchObject({ silentDevices: 2 });
    expect(agent.stats().readFailures).toBeGreaterThan(2);
    await devices.set(2, "holding", 0, floatWords(2.5));
    await poll(() => countOf(received, "wf-2") > 2);
    expect(agent.stats()).toMatchObject({ silentDevices: 1 });
  });

  test("over a serial line", async ({ skip }) => {
    skip(!hasPymodbus, missing);
    skip(!hasSocat, whySkipped("socat"));
    using folder = tempFolder("edge");
    await using serial = await openSerialLine(folder.path);
    await using broker = await openAedes();
    await using devices = await openPymodbus(serial.there);
    await devices.set(3, "holding", 0, floatWords(3.25));
    await devices.set(4, "input", 0, [0x1234]);
    const received = new Received();
    broker.onMessage = received.take;
    await using agent = await openAgent(
      config({
        mqttPort: broker.port,
        data: folder.path,
        inputs: [
          {
            type: "modbus",
            connect: `rtu://${serial.here}`,
            serial: { baud_rate: 9600, parity: "none" },
            poll_ms: 20,
            timeout_ms: 200,
            devices: [
              { unit: 3, sensor: "wf-3", map: "flow" },
              { unit: 7, sensor: "wf-7", map: "flow" },
              { unit: 4, sensor: "wq-4", map: "word" },
            ],
          },
        ],
        register_maps: {
          flow: flowMap,
          word: {
            measurement: "water_quality",
            fields: { turbidity: { register: 0, type: "u16", table: "input", unit: "NTU" } },
          },
        },
      }),
    );
    await poll(() => countOf(received, "wf-3") > 5 && countOf(received, "wq-4") > 5);
    const seen = new Set(received.lines().map((line) => line.replace(/ \d+$/, "")));
    expect(seen).toEqual(
      new Set(["water_flow,sensor=wf-3 flow=3.25", "water_quality,sensor=wq-4 turbidity=4660"]),
    );
    expect(agent.stats()).toMatchObject({ silentDevices: 1 });
  });
});

test("modbus-serial's own server is read, and again after it was away", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  const vector: IServiceVector = {
    getHoldingRegister: (address: number, unit: number) => floatWords(unit + 0.5)[address]!,
  };
  const server = new ServerTCP(vector, { host: "127.0.0.1", port: 0, unitID: 0 }) as ServerTCP & {
    _server: Server;
  };
  await once(server, "initialized");
  await using link = await openTcpProxy((server._server.address() as AddressInfo).port);
  const received = new Received();
  broker.onMessage = received.take;
  await using agent = await openAgent(
    config({
      mqttPort: broker.port,
      data: folder.path,
      inputs: [bus(link.port, [{ unit: 17, sensor: "wf-17", map: "flow" }])],
      register_maps: { flow: flowMap },
    }),
  );
  await poll(() => countOf(received, "wf-17") > 2);
  link.closed = true;
  link.cut();
  await poll(() => agent.stats().silentDevices === 1);
  const before = countOf(received, "wf-17");
  link.closed = false;
  await poll(() => countOf(received, "wf-17") > before + 2);
  expect(received.lines().every((line) => /^water_flow,sensor=wf-17 flow=17.5 \d+$/.test(line))).toBe(true);
  expect(agent.stats()).toMatchObject({ silentDevices: 0 });
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

describe("whatever a device does, the others on its bus are read:", () => {
  const nonsense = { raw: Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n") };
  test.each([
    ["says nothing", (): "silent" => "silent"],
    ["answers too late", () => ({ after: 400, registers: float(99) })],
    ["answers with an exception", () => ({ exception: 4 })],
    ["answers with something else", () => nonsense],
    ["answers with too few registers", () => Buffer.from([1, 2])],
    ["answers with half a frame", () => ({ raw: Buffer.from([0, 1, 0, 0, 0, 7, 1, 3, 4]) })],
    ["ends the connection", (): "cut" => "cut"],
  ])("one that %s", async (_, bad) => {
    using folder = tempFolder("edge");
    await using broker = await openAedes();
    let reads = 0;
    await using device = await openScriptedDevice(({ unit }) => (unit === 1 ? bad() : float((reads += 1))));
    const received = new Received();
    broker.onMessage = received.take;
    await using agent = await openAgent(
      config({
        mqttPort: broker.port,
        data: folder.path,
        inputs: [
          bus(device.port, [
            { unit: 1, sensor: "wf-1", map: "flow" },
            { unit: 2, sensor: "wf-2", map: "flow" },
          ]),
        ],
        register_maps: { flow: flowMap },
      }),
    );
    await poll(() => countOf(received, "wf-2") >= 4 && agent.stats().readFailures >= 2);
    expect(countOf(received, "wf-1")).toBe(0);
    // What came late for one was never taken for another's.
    expect(received.lines().some((line) => line.includes("flow=99"))).toBe(false);
  });
});

test("while the outbox is full no device is asked", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  await using device = await openScriptedDevice(() => float(1));
  await broker.stop();
  const settings = config({
    mqttPort: broker.port,
    data: folder.path,
    inputs: [
      { type: "lines", listen: "tcp://127.0.0.1:0", max_line_bytes: 512 },
      bus(device.port, [{ unit: 1, sensor: "wf-1", map: "flow" }]),
    ],
    register_maps: { flow: flowMap },
    batch: { max_bytes: 65_536, max_age_ms: 50 },
    outbox: { max_live_bytes: 2 ** 20, max_file_bytes: 2 ** 22 },
  });
  await using agent = await openAgent(settings);
  await poll(() => device.requests.length > 2);
  using sensor = await openSensor(agent.inputs[0]!.address);
  const many = Array.from({ length: 100_000 }, (_, i) => line(i));
  void sensor.send(many);
  await poll(async () => {
    const before = device.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return device.requests.length === before;
  });
  const paused = device.requests.length;
  const received = new Received();
  broker.onMessage = received.take;
  await broker.start();
  await poll(() => device.requests.length > paused + 3);
  expect(agent.inputs[1]).toEqual({ type: "modbus", address: `tcp://127.0.0.1:${device.port}` });
});

test("an agent that ends does not wait for a device's answer", async () => {
  using folder = tempFolder("edge");
  await using device = await openScriptedDevice(() => "silent");
  const inputs = [bus(device.port, [{ unit: 1, sensor: "wf-1", map: "flow" }], { timeout_ms: 60_000 })];
  const settings = config({ mqttPort: 1, data: folder.path, inputs, register_maps: { flow: flowMap } });
  const agent = await openAgent(settings);
  await poll(() => device.requests.length > 0);
  const begun = performance.now();
  await agent[Symbol.asyncDispose]();
  expect(performance.now() - begun).toBeLessThan(2500);
});

test("devices are read at their own pace, on an even grid", async () => {
  using folder = tempFolder("edge");
  await using broker = await openAedes();
  await using device = await openScriptedDevice(() => float(1));
  await using _agent = await openAgent(
    config({
      mqttPort: broker.port,
      data: folder.path,
      inputs: [
        bus(device.port, [
          { unit: 1, sensor: "wf-1", map: "flow" },
          { unit: 2, sensor: "wf-2", map: "flow", poll_ms: 200 },
        ]),
      ],
      register_maps: { flow: flowMap },
    }),
  );
  await poll(() => device.requests.filter(({ unit }) => unit === 2).length >= 4);
  const fast = device.requests.filter(({ unit }) => unit === 1).length;
  expect(fast).toBeGreaterThan(8); // 30 on a machine that keeps up
  expect(device.connections).toBe(1);
});

test("a map that the catalogue does not know refuses to start, with the key and what would be right", async () => {
  using folder = tempFolder("edge");
  const settings = config({
    mqttPort: 1,
    data: folder.path,
    inputs: [bus(502, [{ unit: 1, sensor: "wf-1", map: "flow" }])],
    register_maps: {
      flow: { measurement: "water_flow", fields: { flow: { register: 0, type: "f32", unit: "kW" } } },
    },
  });
  await expect(openAgent(settings)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringMatching(/^register_maps.flow.fields.flow.unit: "kW" does not become L\/s/),
  });
});
