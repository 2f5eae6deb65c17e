/*
 * An idle city: 10,000 sensors that each send every 10 s, behind 20 gateways that each send a tenth of theirs once a second.
 *
 *     node tests/bench/idle.bench.ts [--rounds 2] [--seconds 45] [--json]
 */
import { parseArgs } from "node:util";
import type { IngestBenchResult } from "#cli/bench/ingest.ts";
import type { BenchDocument, BenchFigure } from "./result.ts";
import { runIngest } from "./run-ingest.ts";

const sensors = 10_000;
const interval_s = 10;
const gateways = 20;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "2" },
    seconds: { type: "string", default: "45" },
    json: { type: "boolean", default: false },
  },
});

const rate = sensors / interval_s;
const load = ["--series", sensors, "--gateways", gateways, "--rate", rate, "--batch", rate / gateways];
const runs: IngestBenchResult[] = [];
for (let round = 1; round <= Number(values.rounds); round++) {
  const result = await runIngest(...load, "--seconds", values.seconds);
  console.error(`round ${round}: ${(100 * result.platform_cores).toFixed(1)} % of a core`);
  runs.push(result);
}

function figure(
  about: Omit<BenchFigure, "values" | "better">,
  read: (run: IngestBenchResult) => number | undefined,
): BenchFigure[] {
  const found = runs.map(read).filter((value) => value !== undefined);
  return found.length === 0 ? [] : [{ ...about, better: "lower", values: found }];
}

const document: BenchDocument = {
  rows: [
    {
      id: "idle",
      title: "idle city of 10,000 sensors at 10 s",
      figures: [
        ...figure(
          { name: "platform", unit: "% of a core", aim: { atMost: 5 } },
          (run) => 100 * run.platform_cores,
        ),
        ...figure(
          { name: "its own memory (RssAnon)", unit: "MB", aim: { atMost: 300 } },
          ({ memory }) => memory && memory.loaded.rss_anon_bytes / 1e6,
        ),
        ...figure(
          { name: "resident, programs and mapped files too (VmRSS)", unit: "MB", aim: { atMost: 300 } },
          ({ memory }) => memory && memory.loaded.rss_bytes / 1e6,
        ),
        ...figure({ name: "PUBACK after, median", unit: "ms" }, (run) => run.latency_ms?.p50),
        ...figure({ name: "PUBACK after, 99 %", unit: "ms" }, (run) => run.latency_ms?.p99),
      ],
      note: `${rate.toLocaleString("en")} readings/s in ${gateways} messages a second, each from another gateway, QoS 1, into DuckDB, for ${values.seconds} s. The platform's CPU goes on until everything is in the store.`,
    },
  ],
};
if (values.json) process.stdout.write(`${JSON.stringify(document)}\n`);
else console.dir(document, { depth: null });
