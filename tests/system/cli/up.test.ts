import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Gateways, Health, Readings } from "#api/schemas.ts";
import { openClient } from "#cli/client.ts";
import { poll } from "../../support/poll.ts";
import { startProgram, type Program } from "../../support/program.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "./run-marsad.ts";

const SENSORS = 12;
const HISTORY_MINUTES = 120;
/** What the promise says of Ctrl-C, in milliseconds. */
const END_WITHIN = 5_000;

type Up = Program<{ mqtt: string; http: string }>;

const resources = new AsyncDisposableStack();
let folder: string;
let data: string;
let up: Up;

beforeAll(async () => {
  folder = resources.use(tempFolder("up")).path;
  data = join(folder, "data");
  up = await start();
  resources.defer(async () => void (await up.end("SIGINT")));
});
afterAll(() => resources.disposeAsync());

function start(): Promise<Up> {
  const city = ["--sensors", String(SENSORS), "--seed", "7", "--history", `${HISTORY_MINUTES}m`];
  return startProgram({
    args: ["up", "--data", data, "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0", ...city],
    folder,
    name: "up",
  });
}

/** Waits until the ledgers balance and hold at least so many readings. @returns how many are stored. */
async function storedAtLeast(wanted: number): Promise<number> {
  const client = openClient(up.ready.http);
  return await poll(async () => {
    // A platform that is being started again does not answer.
    const { gateways } = await client.get("/api/v1/gateways", Gateways).catch(() => ({ gateways: [] }));
    const stored = gateways.reduce((sum, gateway) => sum + gateway.stored, 0);
    return stored >= wanted && gateways.every(({ balanced }) => balanced) && stored;
  });
}

/** Times of a meter's readings of the last hour, which it says in lines as history and over Modbus while live. */
async function timesOf(measurement: string, sensor: string): Promise<number[]> {
  const query = `measurement=${measurement}&sensor=${sensor}&order=asc&limit=10000`;
  const { readings } = await openClient(up.ready.http).get(`/api/v1/readings?${query}`, Readings);
  return readings.map(({ time }) => Date.parse(time));
}

/** The programs that `up` started, by name. */
async function children(parent: number): Promise<Map<string, number>> {
  const ps = spawn("ps", ["-o", "pid=,args=", "--ppid", String(parent)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = (await text(ps.stdout)).trim().split("\n");
  return new Map(
    lines.flatMap((line) => {
      const [, pid, name] = /^\s*(\d+) .*marsad\.ts (\w+) /.exec(line) ?? [];
      return name === undefined ? [] : [[name, Number(pid)] as const];
    }),
  );
}

function isAlive(pid: number): boolean {
  try {
    // A zombie has ended; only its parent has not looked yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("a city comes up with its history stored, its ledgers balanced and its sensors verified", async () => {
  expect(await storedAtLeast(SENSORS * (HISTORY_MINUTES - 1))).toBeGreaterThan(0);
  const status = await runMarsad(["status", "--http", up.ready.http, "--json"]);
  expect(JSON.parse(status.stdout)).toMatchObject({ ready: true, totals: { refused: 0 } });
  const account = await runMarsad(["account", "--http", up.ready.http]);
  expect(account).toMatchObject({ code: 0, stderr: "" });

  await poll(async () => {
    const { stdout } = await runMarsad(["sensor", "list", "--data", data, "--json"]);
    const { sensors } = JSON.parse(stdout) as { sensors: { verified: boolean }[] };
    return sensors.length >= SENSORS && sensors.every(({ verified }) => verified);
  });
});

test("a part that dies is named and started again, and nothing is lost", async () => {
  for (const name of ["platform", "edge", "sim"]) {
    const before = await children(up.pid);
    process.kill(before.get(name)!, "SIGKILL");
    await poll(async () => {
      const pid = (await children(up.pid)).get(name);
      return pid !== undefined && pid !== before.get(name);
    });
    expect(up.log()).toContain(`${name} ended (killed by SIGKILL); starting it again.`);
  }
  const client = openClient(up.ready.http);
  await poll(async () => {
    const health = await client.get("/readyz", Health).catch(() => undefined);
    return health?.ready;
  });
  await storedAtLeast((await storedAtLeast(1)) + SENSORS);

  const meters = [
    ["energy_meter", "em-001"],
    ["water_flow", "wf-001"],
  ] as const;
  const back = Date.now();
  for (const [measurement, sensor] of meters) {
    const times = await poll(async () => {
      const times = await timesOf(measurement, sensor);
      return times.at(-1)! > back && times;
    });
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    // Steps of history, and where it ends the first live one.
    expect(Math.max(...gaps)).toBeLessThanOrEqual(70_000);
  }
});

test("Ctrl-C ends everything in order and in time, and a second start keeps what was stored", async () => {
  const stored = await storedAtLeast(1);
  const programs = await children(up.pid);
  expect([...programs.keys()].sort((a, b) => a.localeCompare(b))).toEqual(["edge", "platform", "sim"]);

  const asked = performance.now();
  expect(await up.end("SIGINT")).toBe(0);
  expect(performance.now() - asked).toBeLessThan(END_WITHIN);
  expect([...programs.values()].filter(isAlive)).toEqual([]);

  up = await start();
  await storedAtLeast(stored + SENSORS);
});

test("when up itself is killed, its programs end by themselves", async () => {
  const programs = [...(await children(up.pid)).values()];
  expect(programs).toHaveLength(3);
  await up.end("SIGKILL");
  await poll(() => !programs.some(isAlive));
  up = await start();
});

test("a second up on the same folder refuses to start", async () => {
  const { code, stderr } = await runMarsad(["up", "--data", data, "--http", "127.0.0.1:0"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^marsad: .* is used by process \d+\n$/);
});
