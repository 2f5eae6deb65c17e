/*
 * A million series beside 5,000: what a reading costs, and what memory and a start cost, in interleaved rounds.
 *
 *     node tests/bench/series.bench.ts [--rounds 1] [--seconds 8] [--json]
 */
import { parseArgs } from "node:util";
import type { IngestBenchResult } from "#cli/bench/ingest.ts";
import type { BenchDocument, BenchFigure } from "./result.ts";
import { runIngest } from "./run-ingest.ts";

const few = 5_000;
const many = 1_000_000;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "1" },
    seconds: { type: "string", default: "8" },
    json: { type: "boolean", default: false },
  },
});

interface Round {
  readonly few: IngestBenchResult;
  readonly many: IngestBenchResult;
}

const rounds: Round[] = [];
for (let number = 1; number <= Number(values.rounds); number++) {
  const [ofFew, ofMany] = [await measure(number, few), await measure(number, many)];
  rounds.push({ few: ofFew, many: ofMany });
}

async function measure(round: number, series: number): Promise<IngestBenchResult> {
  const result = await runIngest("--series", series, "--seconds", values.seconds, "--restart");
  const cpu = result.cpu_s_per_million.platform.toFixed(2);
  console.error(`round ${round}, ${series} series: ${cpu} CPU-s per million readings`);
  return result;
}

/** One value a round, undefined ones left out: not every system says what memory a process has. */
function figure(
  about: Omit<BenchFigure, "values" | "better">,
  read: (round: Round) => number | undefined,
): BenchFigure[] {
  const found = rounds.map(read).filter((value) => value !== undefined);
  return found.length === 0 ? [] : [{ ...about, better: "lower", values: found }];
}

/** Of the platform's own memory, at the end of the load. */
function bytesPerSeries(round: Round): number | undefined {
  const [low, high] = [round.few, round.many].map(({ memory }) => memory?.loaded.rss_anon_bytes);
  if (low === undefined || high === undefined) return undefined;
  return (high - low) / (round.many.series - round.few.series);
}

const perMillion = "CPU-s per million";
const document: BenchDocument = {
  rows: [
    {
      id: "series",
      title: "1,000,000 series instead of 5,000",
      figures: [
        ...figure(
          { name: "CPU of a reading, against 5,000 series", unit: "", aim: { atMost: 1.3 } },
          (round) => round.many.cpu_s_per_million.platform / round.few.cpu_s_per_million.platform,
        ),
        ...figure(
          { name: "platform, 1,000,000 series", unit: perMillion },
          (round) => round.many.cpu_s_per_million.platform,
        ),
        ...figure(
          { name: "platform, 5,000 series", unit: perMillion },
          (round) => round.few.cpu_s_per_million.platform,
        ),
        ...figure({ name: "memory of a series", unit: "bytes", aim: { atMost: 600 } }, bytesPerSeries),
        ...figure(
          { name: "registering and meeting a series", unit: "CPU-µs" },
          (round) => (1e6 * round.many.beginning.platform_cpu_s) / round.many.series,
        ),
        ...figure(
          { name: "ready again after kill -9, 1,000,000 series", unit: "s" },
          (round) => round.many.restart?.ready_s,
        ),
        ...figure(
          { name: "ready again after kill -9, 5,000 series", unit: "s" },
          (round) => round.few.restart?.ready_s,
        ),
      ],
      note:
        "100 readings a message into DuckDB, four gateways; each sensor registered by a birth and each series met once before the clock starts. " +
        "Memory: the platform's anonymous resident memory at the end of the load, of the run with many series less that of the run with few, by the difference in series.",
    },
  ],
};
if (values.json) process.stdout.write(`${JSON.stringify(document)}\n`);
else console.dir(document, { depth: null });
