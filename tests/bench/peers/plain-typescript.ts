/**
 * The pipeline that one writes first, to compare with: mqtt.js behind an aedes broker, JSON.parse, zod, Point and WriteApi into influxd, each a process of
 * its own. The same sensors, values and times as `marsad bench ingest` sends; each QoS 1 message is counted when it has its PUBACK.
 *
 *     node tests/bench/peers/plain-typescript.ts --batch 100 --readings 200000
 *
 * Prints one `PeerResult` as JSON. Bounded: it ends when influxd has all readings, or when for 10 s it got none.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connectAsync } from "mqtt";
import type { PeerResult } from "#cli/bench/peers.ts";
import { startInfluxd } from "../../support/influxd.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const database = "bench";
const series = 5_000;
/** Messages without a PUBACK at most. */
const window = 200;
const mostIdle_ms = 10_000;

const { values } = parseArgs({
  options: { batch: { type: "string", default: "100" }, readings: { type: "string", default: "200000" } },
});
const batch = Number(values.batch);
const messages = Math.ceil(Number(values.readings) / batch);
const readings = messages * batch;

using folder = tempFolder("plain-typescript");
await using influxd = await startInfluxd({ folder: folder.path });
await influxd.query(`CREATE DATABASE "${database}"`);
await using children = new AsyncDisposableStack();
const { child: broker, said } = await start("aedes-broker.ts", []);
const { port } = said as { port: number };
const { child: ingest } = await start("plain-ingest.ts", [String(port), influxd.url, database]);

const before = { broker: cpuSeconds(broker), ingest: cpuSeconds(ingest), influxd: influxd.cpuSeconds() };
const begun = performance.now();
await publish();
const stored = await allStored();
const seconds = (performance.now() - begun) / 1_000;
const perMillion = 1e6 / readings;
const result: PeerResult = {
  name: "mqtt.js + JSON.parse + zod + Point + WriteApi, behind aedes",
  batch,
  readings,
  seconds,
  cpu_s_per_million: {
    broker: (cpuSeconds(broker) - before.broker) * perMillion,
    ingest: (cpuSeconds(ingest) - before.ingest) * perMillion,
    influxd: (influxd.cpuSeconds() - before.influxd) * perMillion,
  },
  acknowledged: readings,
  stored,
};
console.log(JSON.stringify(result));

async function start(file: string, args: readonly string[]): Promise<{ child: ChildProcess; said: unknown }> {
  const child = fork(new URL(file, import.meta.url), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  children.defer(async () => {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  });
  const [said] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`${file} ended with code ${String(code)}`);
    }),
  ])) as [unknown];
  return { child, said };
}

/** Every message once; resolves when all have their PUBACK. */
async function publish(): Promise<void> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
  const startTime = Date.now() - 3_600_000;
  const underWay = new Set<Promise<unknown>>();
  for (let message = 0; message < messages; message++) {
    const body = Array.from({ length: batch }, (_, i) => {
      const n = message * batch + i;
      return {
        measurement: "traffic_flow",
        sensor: `load-${1 + (n % 4)}.${(n % series) >> 2}`,
        time: startTime + Math.floor(n / series) * 1_000,
        vehicles: (n * 7_919) % 1_000,
        speed_avg: 48 + ((n * 104_729) % 1_000) / 1_000,
        occupancy: 0.18,
      };
    });
    const sent = client.publishAsync("readings/load", JSON.stringify({ readings: body }), { qos: 1 });
    underWay.add(sent);
    void sent.finally(() => underWay.delete(sent));
    if (underWay.size >= window) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  await client.endAsync();
}

/** @returns rows in influxd, once they are all or no more come */
async function allStored(): Promise<number> {
  let rows = 0;
  let at = performance.now();
  while (rows < readings && performance.now() - at < mostIdle_ms) {
    await sleep(200);
    const [counted] = await influxd.query("SELECT count(vehicles) FROM traffic_flow", database);
    const now = Number(counted?.values[0]?.[1] ?? 0);
    if (now > rows) at = performance.now();
    rows = now;
  }
  return rows;
}

/** utime and stime of /proc/PID/stat: 100 ticks a second on every Linux. */
function cpuSeconds({ pid = 0 }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
