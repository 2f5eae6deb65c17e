import { describe, expect, test } from "vitest";
import { EdgeAgentConfig } from "#edge-agent/config.ts";
import { parseModbusAddress } from "#edge-agent/inputs/modbus/address.ts";

const flowMeter = {
  measurement: "water_flow",
  time: { register: 0, type: "u64" },
  row: { register: 4, type: "u32" },
  fields: { flow: { register: 10, type: "f32", order: "ABCD", scale: 1, unit: "L/s" } },
};
const bus = {
  type: "modbus",
  connect: "tcp://192.168.7.20:502",
  devices: [{ unit: 3, sensor: "wf-003", map: "acme-flow" }],
};
const topic = {
  topic: "zigbee2mqtt/{device}",
  measurement: "cold_storage",
  sensor: "{device}",
  fields: { temp: { path: "temperature", unit: "Cel" } },
};
const broker = { type: "mqtt", connect: "mqtt://127.0.0.1:1883", topics: [topic] };

/** What is wrong with these inputs, as `path: message`. */
function problems(inputs: object[], maps: object = { "acme-flow": flowMeter }): string[] {
  const parsed = EdgeAgentConfig.safeParse({
    agency: "water",
    gateway: "gw-1",
    place: "Doha",
    mqtt: "mqtt://10.0.0.5:1883",
    password_file: "/etc/marsad/password",
    inputs,
    register_maps: maps,
  });
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

test("a bus of Modbus devices has defaults for how often and how long it is asked", () => {
  const parsed = EdgeAgentConfig.parse({
    agency: "water",
    gateway: "gw-1",
    place: "Doha",
    mqtt: "mqtt://10.0.0.5:1883",
    password: "secret",
    inputs: [bus],
    register_maps: { "acme-flow": flowMeter },
  });
  expect(parsed.inputs).toEqual([{ ...bus, poll_ms: 10_000, timeout_ms: 1000 }]);
  expect(parsed.register_maps["acme-flow"]).toMatchObject({
    time: { table: "holding", order: "ABCD", unit: "ms" },
    gap: 8,
    fields: { flow: { table: "holding", offset: 0 } },
  });
});

describe("a wrong bus is refused with its key and what would be right:", () => {
  const device = bus.devices[0]!;
  test.each([
    [
      "no address",
      { ...bus, connect: "192.168.7.20" },
      /^inputs.0.connect: tcp:\/\/HOST:PORT or rtu:\/\/\/dev/,
    ],
    ["serial settings of a TCP bus", { ...bus, serial: {} }, /^inputs.0.serial: only a serial line/],
    [
      "no such map",
      { ...bus, devices: [{ ...device, map: "acme" }] },
      /^inputs.0.devices.0.map: register_maps has no "acme"; there is acme-flow$/,
    ],
    ["no such unit", { ...bus, devices: [{ ...device, unit: 256 }] }, /^inputs.0.devices.0.unit: /],
    [
      "a broadcast on a serial line",
      { ...bus, connect: "rtu:///dev/ttyUSB0", devices: [{ ...device, unit: 0 }] },
      /^inputs.0.devices.0.unit: .*1 to 247/,
    ],
    [
      "the same device twice",
      { ...bus, devices: [device, { ...device, sensor: "wf-004" }] },
      /^inputs.0.devices.1.unit: unit 3 is read/,
    ],
    [
      "two devices for one sensor",
      { ...bus, devices: [device, { ...device, unit: 4 }] },
      /^inputs.0.devices.1.sensor: inputs\[0\].devices\[0\] is the sensor wf-003 already/,
    ],
  ])("%s", (_, input, expected) => {
    const found = problems([input]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  test("the same bus twice", () => {
    const other = { ...bus, devices: [{ unit: 4, sensor: "wf-004", map: "acme-flow" }] };
    expect(problems([bus, other])).toEqual([
      "inputs.1.connect: inputs[0] is this bus already: put the devices together, each may have its poll_ms",
    ]);
  });
});

describe("a wrong register map is refused with its key and what would be right:", () => {
  test.each([
    ["an empty one", { fields: {} }, /fields: a map without fields reads nothing/],
    ["an unknown type", { fields: { flow: { register: 1, type: "float" } } }, /fields.flow.type: /],
    [
      "an unknown order",
      { fields: { flow: { register: 1, type: "f32", order: "BACD" } } },
      /fields.flow.order: /,
    ],
    [
      "a value beyond the end",
      { fields: { flow: { register: 65_533, type: "f64" } } },
      /fields.flow.register: a f64 does not fit/,
    ],
    [
      "a number in a coil",
      { fields: { flow: { register: 1, type: "u16", table: "coil" } } },
      /fields.flow.type: a coil is one bit/,
    ],
    [
      "a bit of a number",
      { fields: { flow: { register: 1, type: "u16", bit: 3 } } },
      /fields.flow.bit: only a bool/,
    ],
    [
      "a bit of a coil",
      { fields: { flow: { register: 1, type: "bool", bit: 3, table: "coil" } } },
      /fields.flow.bit: a coil is one bit already/,
    ],
    [
      "a scale of nothing",
      { fields: { flow: { register: 1, type: "u16", scale: 0 } } },
      /fields.flow.scale: 0 would/,
    ],
    ["an event time in a coil", { time: { register: 0, type: "u64", table: "coil" } }, /time.table: /],
  ])("%s", (_, change, expected) => {
    const found = problems([bus], { "acme-flow": { ...flowMeter, ...change } });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^register_maps.acme-flow./);
    expect(found[0]).toMatch(expected);
  });
});

describe("a wrong mapping of topics is refused with its key and what would be right:", () => {
  test.each([
    ["no filter", { ...topic, topic: "a/#/b" }, /topic: "#": a # stands alone at the end/],
    ["a level that is not there", { ...topic, sensor: "{room}" }, /sensor: the topic has no level {room}/],
    ["no measurement", { ...topic, measurement: undefined }, /measurement: which measurement is it/],
    ["no path", { ...topic, fields: { temp: {} } }, /fields.temp.path: where in the JSON/],
    [
      "a path in a number",
      { ...topic, format: "number" },
      /fields.temp.path: the payload is the number itself/,
    ],
    [
      "fields beside line protocol",
      { topic: "a/#", format: "lines", sensor: "x" },
      /sensor: line protocol says this itself/,
    ],
  ])("%s", (_, mapping, expected) => {
    const found = problems([{ ...broker, topics: [mapping] }]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^inputs.0.topics.0./);
    expect(found[0]).toMatch(expected);
  });

  test("two clients of one name at one broker", () => {
    expect(problems([broker, broker])).toEqual([
      "inputs.1.client_id: inputs[0] has it too: give another, or join the two",
    ]);
  });
});

test("Modbus addresses are read, with the port that belongs to Modbus", () => {
  expect(parseModbusAddress("tcp://meter.local")).toEqual({
    protocol: "tcp",
    host: "meter.local",
    port: 502,
  });
  expect(parseModbusAddress("tcp://[fe80::1]:1502")).toEqual({
    protocol: "tcp",
    host: "fe80::1",
    port: 1502,
  });
  expect(parseModbusAddress("rtu:///dev/ttyUSB0")).toEqual({ protocol: "rtu", path: "/dev/ttyUSB0" });
  for (const text of ["", "rtu://ttyUSB0", "tcp://a:0", "tcp://a:70000", "udp://a:502", "rtu:///dev/tty USB"])
    expect(parseModbusAddress(text)).toBeUndefined();
});
