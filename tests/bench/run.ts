import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs, promisify } from "node:util";
import packageJson from "../../package.json" with { type: "json" };
import {
  type Measured,
  type MeasuredRow,
  type Measurements,
  merged,
  type SoakSummary,
} from "./measurements.ts";
import { benchmarksPage } from "./page.ts";
import type { BenchDocument } from "./result.ts";

/**
 * `npm run bench -- [GROUP|NAME…] [--rounds N]`: measures this machine and writes docs/measurements/bench.json and, from it and the last soak,
 * docs/benchmarks.md. Rows that are not measured this time stay as they were. `--page` writes the page only.
 */
const groups: Readonly<Record<string, readonly string[]>> = {
  ingest: ["duckdb-ingest", "influxdb-ingest", "formats", "series", "latency", "idle", "edge-agent", "days"],
  rollup: ["rollup"],
  query: ["query"],
};
const benches = Object.values(groups).flat();

const root = join(import.meta.dirname, "..", "..");
const benchFile = "docs/measurements/bench.json";
const soakFile = "docs/measurements/soak.json";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, page: { type: "boolean", default: false } },
});

const asked = positionals.length === 0 ? benches : positionals.flatMap((name) => groups[name] ?? [name]);
for (const name of asked) {
  if (!benches.includes(name)) {
    console.error(`There is no benchmark "${name}"; there are ${benches.join(", ")}.`);
    process.exit(2);
  }
}

const former = await formerMeasurements();
let rows = (await read<Measurements>(benchFile))?.rows ?? [];
for (const name of values.page ? [] : asked) {
  const measured: Measured = {
    at: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    versions: versions(),
    load: loadavg()[0] ?? 0,
  };
  const { rows: fresh } = await bench(name);
  rows = merged(
    rows,
    fresh.map((row): MeasuredRow => ({ ...row, measured })),
    order(rows, fresh),
  );
  await writeFile(join(root, benchFile), `${JSON.stringify({ rows }, undefined, 2)}\n`);
}
const page = benchmarksPage(rows, former?.rows ?? [], await read<SoakSummary>(soakFile));
await writeFile(join(root, "docs/benchmarks.md"), page);

/** Runs one benchmark, which says on stderr how far it is. */
async function bench(name: string): Promise<BenchDocument> {
  console.error(`${name} …`);
  const rounds = values.rounds === undefined ? [] : ["--rounds", values.rounds];
  const file = join(root, "tests", "bench", `${name}.bench.ts`);
  const child = spawn(process.execPath, [file, "--json", ...rounds], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`${name} ended with ${String(code)}`);
  return JSON.parse(output) as BenchDocument;
}

/** Rows stand as the benches that make them do: known ones keep their place, new ones follow those of their bench. */
function order(known: readonly { id: string }[], fresh: readonly { id: string }[]): string[] {
  return [...new Set([...known, ...fresh].map(({ id }) => id))];
}

/** What was measured last, as it was committed; without git, as it stands. */
async function formerMeasurements(): Promise<Measurements | undefined> {
  try {
    const { stdout } = await promisify(execFile)("git", ["show", `HEAD:${benchFile}`], { cwd: root });
    return JSON.parse(stdout) as Measurements;
  } catch {
    return await read<Measurements>(benchFile);
  }
}

async function read<Value>(file: string): Promise<Value | undefined> {
  const path = join(root, file);
  return existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as Value) : undefined;
}

function versions(): string {
  const { dependencies } = packageJson;
  return `Node ${process.versions.node}, DuckDB ${dependencies["@duckdb/node-api"]}, aedes ${dependencies.aedes}, lmdb ${dependencies.lmdb}, Marsad ${packageJson.version}`;
}
