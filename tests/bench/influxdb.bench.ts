/**
 * What the InfluxDB adapter costs beside influxd itself: the same lines, pre-built, over as many connections, in rounds by turns.
 * `node tests/bench/influxdb.bench.ts [rounds] [batches]`; needs Debian's influxdb.
 */
import { Agent, request } from "node:http";
import { gzipSync } from "node:zlib";
import { pino } from "pino";
import { openInfluxStore } from "#store/influxdb/index.ts";
import type { StoreBatch } from "#store/port.ts";
import { startInfluxd } from "../support/influxd.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type Reading, TestJournal } from "../contract/store/journal.ts";

const [rounds = 3, batches = 25] = process.argv.slice(2).map(Number);
const series = 5_000;
const readingsPerBatch = 20_000;
const start = Date.UTC(2026, 0, 31);
const readings = batches * readingsPerBatch;

const tags = (sensor: string): Record<string, string> => ({
  municipality: "QA-DA",
  district: "QA-DA-msheireb",
  role: "detector",
  site: `junction ${sensor.slice(-2)}`,
});

function batch(number: number): Reading[] {
  return Array.from({ length: readingsPerBatch }, (_, i) => {
    const n = number * readingsPerBatch + i;
    return {
      measurement: "traffic_flow",
      sensor: `tf-${n % series}`,
      time: start + Math.floor(n / series) * 1_000,
      fields: { vehicles: (n * 7_919) % 600, speed_avg: ((n * 104_729) % 1_600) / 10 },
    };
  });
}

function lineOf({ measurement, sensor, time, fields }: Reading): string {
  const { municipality, district, role, site } = tags(sensor);
  const set = `agency=test,district=${district},municipality=${municipality},role=${role},sensor=${sensor},site=${site!.replaceAll(" ", "\\ ")}`;
  return `${measurement},${set} vehicles=${String(fields["vehicles"])},speed_avg=${String(fields["speed_avg"])} ${time}`;
}

interface Cost {
  readonly name: string;
  readonly client: number;
  readonly influxd: number;
  readonly seconds: number;
}

using folder = tempFolder("influx-bench");
await using influxd = await startInfluxd({ folder: folder.path });

async function measure(name: string, work: () => Promise<void>): Promise<Cost> {
  await influxd.query('DROP DATABASE "bench"');
  await influxd.query('CREATE DATABASE "bench"');
  const cpu = process.cpuUsage();
  const server = influxd.cpuSeconds();
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const [rows] = await influxd.query("SELECT count(vehicles) FROM traffic_flow", "bench");
  if (rows?.values[0]?.[1] !== readings) throw new Error(`${name}: ${String(rows?.values[0]?.[1])} rows`);
  const perMillion = 1e6 / readings;
  return {
    name,
    client: ((user + system) / 1e6) * perMillion,
    influxd: (influxd.cpuSeconds() - server) * perMillion,
    seconds,
  };
}

const agent = new Agent({ keepAlive: true, maxSockets: 2 });
function post(body: Buffer, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const target = `${influxd.url}/write?db=bench&precision=ms`;
    const sent = request(target, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => {
        if (response.statusCode === 204) resolve();
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Each batch as two requests, by series as the adapter divides them. */
const prebuilt = Array.from({ length: batches }, (_, number) => {
  const lines = batch(number);
  return [0, 1].map((lane) =>
    Buffer.from(
      lines
        .filter((_, i) => i % 2 === lane)
        .map((reading) => `${lineOf(reading)}\n`)
        .join(""),
    ),
  );
});
const bytes = prebuilt.flat().reduce((sum, body) => sum + body.length, 0) / readings;
console.log(`${readings} readings, ${series} series, ${Math.round(bytes)} bytes a line`);

const raw = (): Promise<Cost> =>
  measure("bare influxd", async () => {
    for (const pair of prebuilt) await Promise.all(pair.map((body) => post(body, {})));
  });
const zipped = (): Promise<Cost> =>
  measure("bare influxd, gzip", async () => {
    for (const pair of prebuilt)
      await Promise.all(pair.map((body) => post(gzipSync(body), { "content-encoding": "gzip" })));
  });
const adapter = async (): Promise<Cost> => {
  using state = tempFolder("influx-bench-state");
  const journal = new TestJournal();
  const all: StoreBatch[] = Array.from({ length: batches }, (_, number) => journal.batchOf(batch(number)));
  await using store = await openInfluxStore({
    path: state.path,
    url: influxd.url,
    database: "bench",
    tagsOf: (_, sensor) => [{ from: 0, tags: tags(sensor) }],
    log: pino({ level: "silent" }),
  });
  return await measure("adapter", async () => {
    for (const one of all) await store.write(one);
  });
};

const costs: Cost[] = [];
for (let round = 0; round < rounds; round++) {
  for (const one of [raw, adapter, zipped]) {
    const cost = await one();
    costs.push(cost);
    const { name, client, influxd: server, seconds } = cost;
    console.log(
      `${name.padEnd(20)} client ${client.toFixed(2)}  influxd ${server.toFixed(2)} CPU-s per million  ${Math.round(readings / seconds)} readings/s`,
    );
  }
}
agent.destroy();
