import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { openMosquitto } from "../../support/brokers.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { neededPackages, openPymodbus, requirePymodbus } from "../../support/modbus/pymodbus.ts";
import { floatWords } from "../../support/modbus/scripted-device.ts";
import { admitGateway, dataFolder, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { startProgram } from "../../support/program.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";

const sample = join(import.meta.dirname, "../../../docs/gateway-sample.yaml");

interface Sample {
  agency: string;
  gateway: string;
  mqtt: string;
  password_file: string;
  data: string;
  inputs: { connect?: string; listen?: string }[];
}

test("the sample configuration goes from meters on the table to dots on the map", async ({ skip }) => {
  skip(!(await requirePymodbus()), whySkipped(neededPackages.join(" and ")));
  skip(!(await requireDebian("mosquitto")), whySkipped("mosquitto"));
  using folder = tempFolder("sample");
  const data = dataFolder(folder.path);
  await using devices = await openPymodbus();
  await devices.set(3, "holding", 10, [...floatWords(36).toReversed(), 0x0007, 0x5b45, 351]);
  await devices.set(4, "input", 0, [3250, 812]);
  await using local = await openMosquitto(folder.path);
  const lines = await freePort();

  // As it stands, but for where things are.
  const settings = parse(await readFile(sample, "utf8")) as Sample;
  const { gateway, agency } = settings;
  const password = await admitGateway(data, { name: gateway, agency });
  await using platform = await startPlatform({ folder: folder.path });
  settings.password_file = join(folder.path, "password");
  await writeFile(settings.password_file, `${password}\n`, { mode: 0o600 });
  settings.mqtt = `mqtt://127.0.0.1:${platform.mqttPort}`;
  settings.data = join(folder.path, "edge");
  settings.inputs[0]!.connect = `tcp://127.0.0.1:${devices.port}`;
  settings.inputs[1]!.connect = `mqtt://127.0.0.1:${local.port}`;
  settings.inputs[2]!.listen = `tcp://127.0.0.1:${lines}`;
  const file = join(folder.path, "gateway.yaml");
  await writeFile(file, stringify(settings));

  const radio = await connectAsync(`mqtt://127.0.0.1:${local.port}`);
  const speak = (): void =>
    radio.publish("zigbee2mqtt/pump room", '{"temperature":31.5,"humidity":48,"contact":true,"battery":90}', {
      qos: 1,
    }) as unknown as void;
  const speaking = setInterval(speak, 100);
  const { code, stdout } = await runMarsad(["edge", "check", "--config", file, "--seconds", "1"]);
  expect(stdout).toMatch(/wf-003 +water_flow +flow +00004210 +10 +L\/s +yes/);
  expect(stdout).toMatch(/wf-003 +water_flow +volume_total +00075b45 +48211\.7 +m3 +yes/);
  expect(stdout).toMatch(/wf-003 +water_flow +pressure +015f +351 +kPa +yes/);
  expect(stdout).toMatch(/wt-001 +water_tank +level +0cb2 +3\.25 +m +yes/);
  expect(stdout).toMatch(/cs-007 +cold_storage +temp +zigbee2mqtt\/pump room +31\.5 +Cel +yes/);
  expect(code).toBe(0);

  await using edge = await startProgram<unknown>({
    args: ["edge", "--config", file],
    folder: folder.path,
    name: "edge",
  });
  const sensor = connect(lines, "127.0.0.1");
  sensor.write("water_quality,sensor=wq-002 ph=7.4,turbidity=0.3\n");
  const dots = await poll(async () => {
    const answer = await fetch(`${platform.ready.http}/api/v1/map?gateway=${gateway}`);
    const { features } = (await answer.json()) as {
      features: {
        geometry: { coordinates: number[] };
        properties: { sensor: string; measurements: string[] };
      }[];
    };
    return features.length === 4 ? features : undefined;
  });
  clearInterval(speaking);
  sensor.destroy();
  await radio.endAsync();
  expect(
    Object.fromEntries(
      dots.map(({ geometry, properties }) => [
        properties.sensor,
        [...properties.measurements, ...geometry.coordinates],
      ]),
    ),
  ).toEqual({
    "cs-007": ["cold_storage", 51.5268, 25.3189],
    "wf-003": ["water_flow", 51.5265, 25.3187],
    "wq-002": ["water_quality", 51.5266, 25.3188],
    "wt-001": ["water_tank", 51.5271, 25.3192],
  });
  const [reading] = await platform.readings("water_flow", "wf-003");
  expect(reading).toMatchObject({ flow: 10, volume_total: 48_211.7, pressure: 351 });
  expect(edge.log()).not.toMatch(/"level":(40|50)/);
  await edge.end("SIGTERM");
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
