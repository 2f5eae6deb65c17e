import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import type { IngestBenchResult } from "#cli/bench/ingest.ts";
import packageJson from "../../package.json" with { type: "json" };

/**
 * `npm run bench [-- --rounds 5 --seconds 10]`: measures this machine and writes docs/benchmarks.md. Rounds of the paths are interleaved, so that
 * a neighbour's load meets all of them alike; the ratio to the bare store comes from one and the same run.
 */
const root = join(import.meta.dirname, "..", "..");
const run = promisify(execFile);

interface Path {
  readonly title: string;
  readonly batch: number;
  /** What the aims of the first version say. */
  readonly aim: string;
}

const paths: readonly Path[] = [
  {
    title: "100 readings a message",
    batch: 100,
    aim: ">= 300,000 readings/s, platform <= 2.5 CPU-s per million",
  },
  { title: "1 reading a message", batch: 1, aim: "none yet" },
];

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, seconds: { type: "string", default: "8" } },
});

const results = new Map<Path, IngestBenchResult[]>(paths.map((path) => [path, []]));
const loadBefore = loadavg()[0] ?? 0;
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const path of paths) {
    const args = [
      "bench",
      "ingest",
      "--store",
      "duckdb",
      "--batch",
      String(path.batch),
      "--seconds",
      values.seconds,
      "--json",
    ];
    const { stdout } = await run(process.execPath, [join(root, "marsad.ts"), ...args]);
    const result = JSON.parse(stdout) as IngestBenchResult;
    results.get(path)?.push(result);
    process.stdout.write(`round ${round}, ${path.title}: ${Math.round(result.readings_per_s)} readings/s\n`);
  }
}
await writeFile(join(root, "docs", "benchmarks.md"), page());

function page(): string {
  const rows = Array.from(results, ([path, runs]) => row(path, runs));
  const lost = Array.from(results.values()).flat();
  return `# Benchmarks

Made by \`npm run bench\`; do not edit. ${values.rounds} interleaved rounds of ${values.seconds} s each; every figure is the median, with least and most
behind it. The machines these run on are shared: trust the ratio to the bare store, which is measured before and after each run in a process
of its own, more than any absolute figure.

| path | readings/s, acknowledged | platform | load generator | bare DuckDB | platform / bare | aim |
|---|---|---|---|---|---|---|
${rows.join("\n")}

Platform, load generator and bare store: user and system CPU-seconds per million readings. The platform's go on until everything is in the store; it has four
gateways' connections, QoS 1, each PUBACK after an fsync. A reading is a line of 93 bytes with three fields; ${lost[0]?.series ?? 0} series or near it. The bare
store is DuckDB alone, fed with the same readings as ready-made columns, 20,000 a commit.

Over all runs ${sum(lost, "acknowledged").toLocaleString("en")} readings were acknowledged, ${sum(lost, "stored").toLocaleString("en")} rows counted in the store afterwards: ${sum(lost, "lost")} lost, ${sum(lost, "duplicated")} twice.

Machine: ${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}; load average ${loadBefore.toFixed(1)} before the
first round. Node ${process.versions.node}, DuckDB ${packageJson.dependencies["@duckdb/node-api"]}, aedes ${packageJson.dependencies.aedes}, lmdb ${packageJson.dependencies.lmdb}, Marsad ${packageJson.version}.
`;
}

function row({ title, aim }: Path, runs: readonly IngestBenchResult[]): string {
  const cells = [
    title,
    spread(
      runs.map((run) => run.readings_per_s),
      0,
    ),
    spread(
      runs.map((run) => run.cpu_s_per_million.platform),
      2,
    ),
    spread(
      runs.map((run) => run.cpu_s_per_million.load),
      2,
    ),
    spread(
      runs.map((run) => run.raw_cpu_s_per_million),
      2,
    ),
    spread(
      runs.map((run) => run.cpu_s_per_million.platform / run.raw_cpu_s_per_million),
      1,
    ),
    aim,
  ];
  return `| ${cells.join(" | ")} |`;
}

function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const show = (value: number | undefined): string =>
    (value ?? Number.NaN).toLocaleString("en", {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  return `**${show(sorted[Math.floor(sorted.length / 2)])}** (${show(sorted[0])}-${show(sorted.at(-1))})`;
}

function sum(
  runs: readonly IngestBenchResult[],
  key: "acknowledged" | "stored" | "lost" | "duplicated",
): number {
  return runs.reduce((total, run) => total + run[key], 0);
}
