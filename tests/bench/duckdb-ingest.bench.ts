/*
 * `marsad bench ingest` into DuckDB, 100 readings a message and 1, in interleaved rounds; the bare store is measured before and after each run, in it.
 *
 *     node tests/bench/duckdb-ingest.bench.ts [--rounds 3] [--seconds 8] [--json]
 */
import { parseArgs } from "node:util";
import type { IngestBenchResult } from "#cli/bench/ingest.ts";
import type { BenchDocument, BenchRow } from "./result.ts";
import { runIngest } from "./run-ingest.ts";

const paths = [
  { id: "duckdb-100", title: "100 readings a message into DuckDB", batch: 100, rate: 1_000_000, cpu: 1.2 },
  { id: "duckdb-1", title: "1 reading a message into DuckDB", batch: 1, rate: 250_000, cpu: 3 },
] as const;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "8" },
    json: { type: "boolean", default: false },
  },
});

const results = paths.map((path) => ({ path, runs: new Array<IngestBenchResult>() }));
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const { path, runs } of results) {
    const result = await runIngest("--batch", path.batch, "--seconds", values.seconds);
    runs.push(result);
    console.error(`round ${round}, ${path.title}: ${Math.round(result.readings_per_s)} readings/s`);
  }
}

function row({ path, runs }: (typeof results)[number]): BenchRow {
  const each = (read: (run: IngestBenchResult) => number): number[] => runs.map(read);
  const cpu = { unit: "CPU-s per million", better: "lower" } as const;
  const acknowledged = runs.reduce((sum, result) => sum + result.acknowledged, 0);
  return {
    id: path.id,
    title: path.title,
    figures: [
      {
        name: "acknowledged",
        unit: "readings/s",
        values: each((result) => result.readings_per_s),
        better: "higher",
        aim: { atLeast: path.rate },
      },
      {
        name: "platform",
        ...cpu,
        values: each((result) => result.cpu_s_per_million.platform),
        aim: { atMost: path.cpu },
      },
      {
        name: "load generator",
        ...cpu,
        values: each((result) => result.cpu_s_per_million.load),
        aim: { atMost: 0.5 },
      },
      { name: "bare DuckDB", ...cpu, values: each((result) => result.raw_cpu_s_per_million) },
      {
        name: "platform / bare DuckDB",
        unit: "",
        better: "lower",
        values: each((result) => result.cpu_s_per_million.platform / result.raw_cpu_s_per_million),
        ...(path.batch === 100 && { aim: { atMost: 2.6 } }),
      },
    ],
    note:
      `QoS 1, each PUBACK after an fsync, four gateways, ${runs[0]?.series ?? 0} series, lines of 93 bytes with three fields; bare DuckDB is given ready-made columns, as many a write as the writer gives it. The platform's CPU goes on until everything is in the store. ` +
      `${acknowledged.toLocaleString("en")} acknowledged and counted in the store afterwards: none lost, none twice.` +
      (path.batch === 100 ? " Of the aims for the platform and for the ratio one is to be met." : ""),
  };
}

const document: BenchDocument = { rows: results.map(row) };
if (values.json) process.stdout.write(`${JSON.stringify(document)}\n`);
else console.dir(document, { depth: null });
