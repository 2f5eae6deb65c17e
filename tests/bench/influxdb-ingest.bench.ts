/*
 * `marsad bench ingest --store influxdb` at 100 readings a message, with bare influxd before and after each run in it; in the first round the plain TypeScript pipeline, too.
 * Needs Debian's influxdb.
 *
 *     node tests/bench/influxdb-ingest.bench.ts [--rounds 3] [--readings 1500000] [--json]
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import type { IngestBenchResult } from "#cli/bench/ingest.ts";
import type { PeerResult } from "#cli/bench/peers.ts";
import type { BenchDocument, BenchRow } from "./result.ts";

const run = promisify(execFile);
const marsad = join(import.meta.dirname, "..", "..", "marsad.ts");

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    readings: { type: "string", default: "1500000" },
    json: { type: "boolean", default: false },
  },
});

const runs: IngestBenchResult[] = [];
for (let round = 1; round <= Number(values.rounds); round++) {
  const args = ["bench", "ingest", "--store", "influxdb", "--readings", values.readings, "--json"];
  const { stdout } = await run(process.execPath, [marsad, ...args, ...(round === 1 ? ["--peers"] : [])]);
  const result = JSON.parse(stdout) as IngestBenchResult;
  if (result.lost > 0 || result.duplicated > 0) throw new Error(`not all is stored once: ${stdout}`);
  runs.push(result);
  console.error(`round ${round}: (platform + influxd) / bare influxd ${ratio(result).toFixed(2)}`);
}

function ratio({
  cpu_s_per_million: { platform, store = Number.NaN },
  raw_cpu_s_per_million: raw,
}: IngestBenchResult): number {
  return (platform + store) / raw;
}

const cpu = { unit: "CPU-s per million", better: "lower" } as const;

function ownRow(): BenchRow {
  const each = (read: (result: IngestBenchResult) => number): number[] => runs.map(read);
  const acknowledged = runs.reduce((sum, result) => sum + result.acknowledged, 0);
  return {
    id: "influxdb-100",
    title: "100 readings a message into InfluxDB 1.6.7",
    figures: [
      {
        name: "(platform + influxd) / bare influxd",
        unit: "",
        better: "lower",
        values: each(ratio),
        aim: { atMost: 1.12 },
      },
      { name: "platform", ...cpu, values: each((result) => result.cpu_s_per_million.platform) },
      { name: "influxd", ...cpu, values: each((result) => result.cpu_s_per_million.store ?? Number.NaN) },
      { name: "bare influxd", ...cpu, values: each((result) => result.raw_cpu_s_per_million) },
    ],
    note:
      `QoS 1, each PUBACK after an fsync, four gateways, ${runs[0]?.series ?? 0} series, three fields. An influxd of its own for each run; its CPU goes on until its snapshots and ` +
      "compactions are done. Bare influxd gets the same readings as ready-made lines in order of arrival, 10,000 a request, over two connections, as the platform has. " +
      `${acknowledged.toLocaleString("en")} acknowledged and counted in influxd afterwards: none lost, none twice.`,
  };
}

function peerRow({ batch, cpu_s_per_million: { broker, ingest, influxd }, ...peer }: PeerResult): BenchRow {
  return {
    id: `plain-typescript-${batch}`,
    title: `${batch === 1 ? "1 reading" : `${batch} readings`} a message into InfluxDB by the plain TypeScript pipeline`,
    figures: [
      { name: "broker + ingest + influxd", ...cpu, values: [broker + ingest + influxd] },
      { name: "broker", ...cpu, values: [broker] },
      { name: "ingest", ...cpu, values: [ingest] },
      { name: "influxd", ...cpu, values: [influxd] },
    ],
    note: `${peer.name}; tests/bench/peers. ${peer.stored.toLocaleString("en")} of ${peer.readings.toLocaleString("en")} acknowledged readings stored. For comparison.`,
  };
}

const peers = runs.flatMap(({ peers = [] }) => peers);
const document: BenchDocument = { rows: [ownRow(), ...peers.map(peerRow)] };
if (values.json) process.stdout.write(`${JSON.stringify(document)}\n`);
else console.dir(document, { depth: null });
