import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { compress } from "#runtime/zstd.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { startEdge } from "../../support/edge.ts";
import { admitGateway, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { cleanEnvironment, runMarsad } from "../cli/run-marsad.ts";
import { sharePlatform } from "./support.ts";

const root = join(import.meta.dirname, "../../..");
const identity = { name: "corniche-1", agency: "mobility" };

/** The shell examples of a page, one under another. */
async function examplesOf(page: string): Promise<string> {
  const text = await readFile(join(root, page), "utf8");
  return Array.from(text.matchAll(/^```sh\n(.*?)^```$/gms), ([, example]) => example).join("\n");
}

test("the examples of docs/formats.md do what the page says", async ({ skip }) => {
  for (const needed of ["mosquitto-clients", "zstd"])
    skip(!(await requireDebian(needed)), whySkipped(needed));
  using folder = tempFolder("formats");
  await using platform = await startPlatform({ folder: folder.path });
  // Where the examples' programs look for what they are not told: another port, another data folder.
  await writeFile(join(folder.path, "mosquitto_pub"), `-p ${platform.mqttPort}\n-h 127.0.0.1\n`);
  const path = [join(root, "node_modules/.bin"), dirname(process.execPath), process.env["PATH"]].join(":");
  const npx = join(folder.path, "bin/npx");
  await mkdir(dirname(npx));
  await writeFile(npx, `#!/bin/sh\nshift\nexec '${process.execPath}' '${join(root, "marsad.ts")}' "$@"\n`, {
    mode: 0o755,
  });
  const script = `set -eu\n${await examplesOf("docs/formats.md")}`;
  await promisify(execFile)("sh", ["-c", script], {
    cwd: folder.path,
    env: cleanEnvironment({
      MARSAD_DATA: platform.data,
      XDG_CONFIG_HOME: folder.path,
      PATH: `${dirname(npx)}:${path}`,
    }),
  });

  // What came before the platform saw the sensors waits for a moment.
  await platform.settled("corniche-1", ({ on_its_way }) => on_its_way.waiting === 0);
  const sender = { agency: "mobility", sensor: "tf-1" };
  expect(await platform.readings("traffic_flow", "tf-1")).toMatchObject([
    { ...sender, vehicles: 31, speed_avg: 48.2 },
    { ...sender, vehicles: 32, speed_avg: 47.9 },
    { ...sender, vehicles: 29 },
    { ...sender, vehicles: 30, speed_avg: 48.6 },
  ]);
  expect(await platform.readings("energy_meter")).toMatchObject([
    { sensor: "urn:dev:ow:10e2073a01080063", voltage: 231.4, current: 1.2 },
  ]);
  expect(await platform.account("corniche-1")).toMatchObject({ sent: 6, refused: 0, balanced: true });
});

const shared = await sharePlatform();
afterAll(() => shared[Symbol.asyncDispose]());
const { platform } = shared;

async function marsad(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runMarsad(args);
  if (code !== 0) throw new Error(`marsad ${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

test("a compressed batch is what it is uncompressed: numbered, known when it comes again, its refusals replayable", async () => {
  await using gateway = await shared.newGateway(["tf-1"]);
  const sensor = `${gateway.name}.tf-1`;
  const now = Date.now();
  const lines = Array.from(
    { length: 100 },
    (_, i) => `traffic_flow,sensor=${sensor} vehicles=${i} ${now - i}\n`,
  );
  const header = `# marsad 1 outbox=6f1c0c8e-3f0e-4a39-8f7b-3a1f5f0f2a11 first=0 n=102\n`;
  const bad = `traffic_flow,sensor=${sensor} vehicles=-1 ${now}\nparking,sensor=${sensor} occupied=5 ${now}\n`;
  const batch = header + lines.join("") + bad;
  await gateway.send(compress(Buffer.from(batch)), "lp-zstd");
  await gateway.send(compress(Buffer.from(batch)), "lp-zstd");
  await gateway.send(batch, "lp");
  const account = await platform.settled(gateway.name);
  expect(account).toMatchObject({ sent: 306, stored: 100, duplicate: 204, refused: 2, balanced: true });
  expect(await gateway.refusal("out-of-range")).toMatchObject({ number: 100 });
  const letters = await platform.deadLetters(gateway.name);
  expect(letters.map(({ channel, reason }) => `${channel} ${reason}`).toSorted()).toEqual([
    "lp out-of-range",
    "lp unknown-measurement",
  ]);
  const { http } = platform.ready;
  const replayed = JSON.parse(
    await marsad("deadletters", "replay", "--gateway", gateway.name, "--http", http, "--json"),
  ) as object;
  expect(replayed).toMatchObject({ tried: 2, accepted: 0, refused: 2 });
});

test("what cannot be unpacked is one refused reading, and a bomb is not unpacked", async () => {
  await using gateway = await shared.newGateway(["tf-1"]);
  const sensor = `${gateway.name}.tf-1`;
  await gateway.send(`traffic_flow,sensor=${sensor} vehicles=1`, "lp-zstd");
  await gateway.send(compress(new Uint8Array(500_000_000)), "lp-zstd");
  await platform.settled(gateway.name, ({ refused }) => refused === 2);
  expect(await platform.account(gateway.name)).toMatchObject({
    sent: 2,
    refused_by_reason: { syntax: 1, "too-large": 1 },
    balanced: true,
  });
  expect((await gateway.refusal("too-large")).detail).toBe("the payload holds more than 1048576 bytes");
  expect(await platform.deadLetters(gateway.name)).toMatchObject([
    { channel: "lp-zstd" },
    { channel: "lp-zstd" },
  ]);
});

test("a SenML device that nobody registered waits; once it is, its readings have the times they came at", async () => {
  await using gateway = await shared.newGateway([]);
  const device = "urn:dev:mac:0024befffe804ff1";
  const before = Date.now();
  await gateway.send(
    JSON.stringify([
      { bn: `${device}:`, n: "voltage", u: "V", v: 231 },
      { n: "current", u: "mA", v: 1500 },
      { n: "voltage", u: "V", t: -60, v: 229 },
      { n: "colour", vs: "red" },
    ]),
    "senml",
  );
  const after = Date.now();
  expect(await platform.settled(gateway.name)).toMatchObject({ sent: 4, on_its_way: { waiting: 4 } });

  const data = ["--data", platform.data];
  const names = JSON.stringify({ voltage: "energy_meter.voltage", current: "energy_meter.current" });
  await marsad(
    "sensor",
    "add",
    device,
    "--gateway",
    gateway.name,
    "--place",
    "Doha",
    `senml=${names}`,
    ...data,
  );
  const account = await platform.settled(gateway.name, ({ on_its_way }) => on_its_way.waiting === 0);
  expect(account).toMatchObject({ sent: 4, stored: 3, refused_by_reason: { "unknown-field": 1 } });
  const readings = await platform.readings("energy_meter", device);
  expect(readings).toMatchObject([{ voltage: 229 }, { voltage: 231, current: 1.5 }]);
  const times = readings.map(({ time }) => Date.parse(time));
  expect(times[1]! - times[0]!).toBe(60_000);
  expect(times[1]).toBeGreaterThanOrEqual(before);
  expect(times[1]).toBeLessThanOrEqual(after);

  // The refused one is replayed once somebody says what it is: then it is refused for what it is.
  const more = JSON.stringify({ colour: "energy_meter.power" });
  await marsad("sensor", "set", device, `senml=${more}`, ...data);
  const { http } = platform.ready;
  await poll(async () => {
    await marsad("deadletters", "replay", "--gateway", gateway.name, "--http", http);
    const { refused_by_reason } = await platform.settled(gateway.name);
    return refused_by_reason["wrong-type"] === 1;
  });
});

test("python3-paho-mqtt publishes 10,000 readings at QoS 1: all are there", async ({ skip }) => {
  skip(!(await requireDebian("python3-paho-mqtt")), whySkipped("python3-paho-mqtt"));
  await using gateway = await shared.newGateway(["tf-1"]);
  const sensor = `${gateway.name}.tf-1`;
  const count = 10_000;
  const first = Date.now() - count;
  const script = join(import.meta.dirname, "paho-publisher.py");
  const args = [platform.mqttPort, gateway.name, gateway.topics.up.lp, sensor, count, first].map(String);
  // Debian's python, which has Debian's packages.
  const python = spawn("/usr/bin/python3", [script, ...args], { stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(python, "close");
  python.stdin.end(`${gateway.password}\n`);
  expect(await ended).toEqual([0, null]);

  expect(await platform.settled(gateway.name, ({ stored }) => stored === count)).toMatchObject({
    sent: count,
    stored: count,
    duplicate: 0,
    refused: 0,
    balanced: true,
  });
  const readings = await platform.readings("traffic_flow", sensor);
  expect(readings.map(({ time, vehicles }) => [Date.parse(time), vehicles])).toEqual(
    Array.from({ length: count }, (_, i) => [first + i, i % 100]),
  );
});

test("an agent with `compress: true` sends its batches so, and nothing is lost", async () => {
  using folder = tempFolder("formats");
  const password = await admitGateway(platform.data, identity);
  await using proxy = await openTcpProxy(platform.mqttPort);
  await using edge = await startEdge({
    folder: folder.path,
    gateway: identity.name,
    agency: identity.agency,
    password,
    mqttPort: proxy.port,
    sensors: ["tf-1"],
    settings: { compress: true },
  });
  const count = 20_000;
  const first = Date.now() - count;
  const lines = Array.from(
    { length: count },
    (_, i) => `traffic_flow,sensor=tf-1 vehicles=${i % 100},speed_avg=${40 + (i % 9)}.5 ${first + i}\n`,
  ).join("");
  const [host, port] = edge.input.replace("tcp://", "").split(":");
  const sensor = connect({ host, port: Number(port) });
  sensor.end(lines);
  await once(sensor, "close");
  expect(await platform.settled(identity.name, ({ stored }) => stored === count)).toMatchObject({
    sent: count,
    duplicate: 0,
    refused: 0,
    balanced: true,
  });
  expect(proxy.bytes.up).toBeLessThan(lines.length / 3);
});
