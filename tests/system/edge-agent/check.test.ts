import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import type { CheckReport } from "#edge-agent/check/index.ts";
import { openAedes } from "../../support/brokers.ts";
import { openRowDevice, rowMap } from "../../support/modbus/row-device.ts";
import { openScriptedDevice } from "../../support/modbus/scripted-device.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";
import { Received } from "./received.ts";
import { config, openAgent } from "./support.ts";

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return bytes;
}

/** A configuration's file. */
async function written(folder: string, settings: object): Promise<string> {
  const file = join(folder, "gateway.yaml");
  const common = {
    agency: "water",
    gateway: "gw-1",
    place: "Doha",
    mqtt: "mqtt://127.0.0.1:1",
    password: "secret",
  };
  await writeFile(file, stringify({ ...common, data: join(folder, "data"), ...settings }));
  return file;
}

async function check(
  folder: string,
  settings: object,
  ...more: string[]
): Promise<{ code: number | null; report: CheckReport }> {
  const file = await written(folder, settings);
  const { code, stdout, stderr } = await runMarsad(["edge", "check", "--config", file, "--json", ...more]);
  expect(stderr).toBe("");
  const { gateways } = JSON.parse(stdout) as { gateways: CheckReport[] };
  return { code, report: gateways[0]! };
}

test("devices are read once: registers, value, unit, and which byte order would be the right one", async () => {
  using folder = tempFolder("check");
  await using device = await openScriptedDevice(({ unit, register }) => {
    if (unit === 2) return "silent";
    if (unit === 3 && register !== 0) return { exception: 2 };
    return unit === 1 ? Buffer.concat([float(9.5).swap16().swap32(), float(48.25)]) : float(1);
  });
  const fields = {
    flow: { register: 0, type: "f32", unit: "m3/h" },
    pressure: { register: 2, type: "f32", unit: "bar" },
  };
  const { code, report } = await check(folder.path, {
    inputs: [
      {
        type: "modbus",
        connect: `tcp://127.0.0.1:${device.port}`,
        timeout_ms: 200,
        devices: [1, 2, 3].map((unit) => ({
          unit,
          sensor: `wf-${unit}`,
          map: unit === 3 ? "apart" : "acme",
        })),
      },
    ],
    register_maps: {
      acme: { measurement: "water_flow", fields },
      apart: {
        measurement: "water_flow",
        gap: 0,
        fields: { ...fields, pressure: { ...fields.pressure, register: 9 } },
      },
    },
    sensors: [{ id: "wf-1", place: "Doha" }],
  });
  expect(code).toBe(1);
  expect(report.values).toEqual([
    {
      sensor: "wf-1",
      measurement: "water_flow",
      field: "flow",
      raw: "00004118",
      value: expect.any(Number),
      unit: "L/s",
      plausible: false,
      hint: expect.stringMatching(/^with order: CDAB it would be 2\.638/),
    },
    {
      sensor: "wf-1",
      measurement: "water_flow",
      field: "pressure",
      raw: "42410000",
      value: 4825,
      unit: "kPa",
      plausible: false,
      hint: expect.any(String),
    },
  ]);
  expect(report.problems).toEqual([
    {
      input: expect.stringMatching(/^inputs\[0\] tcp:/),
      sensor: "wf-2",
      problem: "unit 2: no answer within 200 ms",
      hints: expect.any(Array),
    },
    {
      input: expect.any(String),
      sensor: "wf-3",
      problem: expect.stringMatching(/^unit 3: exception 2/),
      hints: expect.arrayContaining(["only these are refused: pressure (holding register 9)"]),
    },
  ]);
});

test("a logger that does not answer is asked once: a second request would say that its row had arrived", async () => {
  using folder = tempFolder("check");
  await using device = await openScriptedDevice(() => "silent");
  const { code } = await check(folder.path, {
    inputs: [
      {
        type: "modbus",
        connect: `tcp://127.0.0.1:${device.port}`,
        timeout_ms: 100,
        devices: [{ unit: 1, sensor: "wf-1", map: "logger" }],
      },
    ],
    register_maps: { logger: rowMap },
  });
  expect(code).toBe(1);
  expect(device.requests).toHaveLength(1);
});

test("beside a running agent nothing is sent, no row is taken from it, and a port that it has is named", async () => {
  using folder = tempFolder("check");
  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using device = await openRowDevice(50);
  const inputs = [
    { type: "lines", listen: "tcp://127.0.0.1:0", max_line_bytes: 512 },
    {
      type: "modbus",
      connect: `tcp://127.0.0.1:${device.port}`,
      poll_ms: 50,
      devices: [{ unit: 1, sensor: "wf-1", map: "logger" }],
    },
  ];
  const register_maps = { logger: rowMap };
  await using agent = await openAgent(
    config({ mqttPort: broker.port, data: folder.path, inputs, register_maps }),
  );
  await poll(() => received.count === 50);
  const asked = [{ ...inputs[0], listen: `tcp://${agent.inputs[0]!.address}` }, inputs[1]];
  const { code, report } = await check(folder.path, { inputs: asked, register_maps }, "--seconds", "0.2");
  expect(code).toBe(0);
  expect(report.values.map(({ field, value }) => [field, value])).toEqual([
    ["time", "2025-11-23T01:55:40.000Z"],
    ["row", 49],
    ["flow", 49],
  ]);
  expect(report.notes[0]).toMatch(/the address is taken, probably by the running agent/);
  expect(received.count).toBe(50);
});

test("lines and messages are listened for; what the platform would refuse is a problem", async () => {
  using folder = tempFolder("check");
  await using broker = await openAedes();
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as { port: number };
  free.close();
  await once(free, "close");
  const inputs = [
    { type: "lines", listen: `udp://127.0.0.1:${port}` },
    {
      type: "mqtt",
      connect: `mqtt://127.0.0.1:${broker.port}`,
      topics: [
        {
          topic: "z/{device}",
          measurement: "cold_storage",
          sensor: "{device}",
          fields: { temp: { path: "t", unit: "Cel" } },
        },
      ],
    },
  ];
  const socket = createSocket("udp4");
  const sending = setInterval(() => {
    socket.send("water_flow,sensor=wf-9 flow=3.5\nwater_flow,sensor=wf-9 flw=3\n", port, "127.0.0.1");
    void broker.publish("z/cs-1", '{"t":-18.5}');
    void broker.publish("z/cs-2", "nothing");
  }, 50);
  const { code, report } = await check(folder.path, { inputs }, "--seconds", "2");
  clearInterval(sending);
  socket.close();
  expect(code).toBe(1);
  expect(report.values).toEqual([
    { sensor: "wf-9", measurement: "water_flow", field: "flow", value: 3.5, unit: "L/s", plausible: true },
    {
      sensor: "cs-1",
      measurement: "cold_storage",
      field: "temp",
      raw: "z/cs-1",
      value: -18.5,
      unit: "Cel",
      plausible: true,
    },
  ]);
  expect(report.problems.map(({ problem }) => problem)).toEqual([
    expect.stringMatching(/^the platform would refuse a line: unknown-field: /),
    expect.stringMatching(/^z\/cs-2: the payload is not JSON/),
  ]);
  expect(report.notes).toEqual([expect.stringMatching(/^not in `sensors`: wf-9, cs-1; /)]);
});
