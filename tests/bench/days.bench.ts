/*
 * A closed day before and after it is rewritten in series order: bytes a reading, one series' day out of all rows, and what a write costs
 * beside a rewrite and without one. Rows are made straight into the store's tables, the last day in order of arrival as the others:
 *
 *     node tests/bench/days.bench.ts [--json] [--rows N] [--rounds N]
 *
 * A billion rows take some 10 GB of disk.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { ChunkWriter } from "#store/duckdb/chunk-writer.ts";
import { Columns } from "#store/duckdb/columns.ts";
import { DuckDbEngine } from "#store/duckdb/engine.ts";
import { append } from "#store/duckdb/merge.ts";
import { day_ms, tableName } from "#store/duckdb/partition.ts";
import { openSession } from "#store/duckdb/session.ts";
import { encodeBlock } from "#telemetry/block.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import type { BenchDocument, BenchFigure } from "./result.ts";

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rows: { type: "string", default: "30000000" },
    rounds: { type: "string", default: "3" },
  },
});
const rows = Number(options.rows);
const rounds = Number(options.rounds);
const measurement = "traffic_flow";
const period_ms = 10_000;
const perSeries = day_ms / period_ms;
const days = Math.max(1, Math.round(rows / 10_000 / perSeries));
const series = Math.ceil(rows / days / perSeries);
const total = series * perSeries * days;
const start = Date.UTC(2026, 0, 1);
const queriesPerRound = 100;
const writeRows = 5_000;

const started = performance.now();
const say = (what: string): void =>
  console.error(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${what}`);

/** Of a seed: numbers 0 … 1 that are the same each time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Sweeps over all sensors: each says one reading every 10 s, a quarter of a second late at most; speeds with one decimal. */
function fillSweeps(
  columns: Columns,
  day: number,
  first: number,
  sweeps: number,
  random: () => number,
): void {
  columns.length = sweeps * series;
  const [vehicles, speed] = columns.values as [Float64Array, Float64Array];
  for (let sweep = 0, row = 0; sweep < sweeps; sweep++) {
    const at = (first + sweep) * period_ms;
    const busy = 1 + Math.sin((at / day_ms) * 2 * Math.PI);
    for (let number = 0; number < series; number++, row++) {
      columns.time[row] =
        start + day * day_ms + at + Math.floor((number / series) * (period_ms - 250) + random() * 250);
      columns.series[row] = number;
      vehicles[row] = Math.floor((5 + (number % 40)) * busy * (0.8 + 0.4 * random()));
      speed[row] = Math.round((30 + (number % 50) + 12 * random() - 8 * busy) * 10) / 10;
    }
  }
}

async function load(path: string): Promise<void> {
  const session = await openSession({ path, memoryLimit: "512MB", threads: 1 });
  const connection = session.database.writer;
  const writer = new ChunkWriter(["DOUBLE", "DOUBLE"]);
  const sweeps = Math.max(1, Math.floor(200_000 / series));
  const columns = new Columns(2, sweeps * series);
  const random = randomOf(7);
  for (let day = 0; day < days; day++) {
    const table = tableName(measurement, "day", start + day * day_ms);
    await connection.run(
      `CREATE TABLE ${table} (time TIMESTAMP_MS, series UINTEGER, vehicles DOUBLE, speed_avg DOUBLE)`,
    );
    for (let sweep = 0; sweep < perSeries; sweep += sweeps) {
      fillSweeps(columns, day, sweep, Math.min(sweeps, perSeries - sweep), random);
      await connection.run("BEGIN TRANSACTION");
      await append(connection, { place: "main", table }, writer, columns);
      await connection.run("COMMIT");
    }
    await connection.run("CHECKPOINT");
    say(`${day + 1} of ${days} days loaded`);
  }
  session.database.close();
}

/** Bytes that the closed file's content takes, and the file. */
async function sizesOf(path: string): Promise<{ used: number; file: number }> {
  const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  const size = await connection.runAndReadAll(
    "SELECT (used_blocks * block_size)::DOUBLE FROM pragma_database_size()",
  );
  connection.closeSync();
  instance.closeSync();
  return { used: size.getRowsJS()[0]![0] as number, file: (await stat(path)).size };
}

/** ms of reading a whole day of each of `count` series, here and there. */
async function queryDays(engine: DuckDbEngine, count: number, random: () => number): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < count; n++) {
    const from = start + Math.floor(random() * days) * day_ms;
    const query = { measurement, series: [Math.floor(random() * series)], from, to: from + day_ms };
    const begun = performance.now();
    const found = await engine.read({ ...query, limit: 1_000_000, order: "asc" });
    took.push(performance.now() - begun);
    if (found.time.length !== perSeries) throw new Error(`a series' day has ${found.time.length} rows`);
  }
  return took;
}

/** Readings of today, a batch at a time. */
class Today {
  readonly #table = new ReadingTable(
    builtinCatalogue.measurements.find(({ name }) => name === measurement)!,
    writeRows,
  );
  readonly #at = start + (days + 40) * day_ms;
  #next = 0;

  /** ms that its write took. */
  async write(engine: DuckDbEngine): Promise<number> {
    const table = this.#table;
    table.clear();
    for (let i = 0; i < writeRows; i++) {
      const row = table.nextRow();
      table.time[row] = this.#at + this.#next * 1000;
      table.series[row] = series + i;
      for (const [field, values] of table.values.entries()) values[row] = field < 2 ? i % 60 : Number.NaN;
      table.commitRow(1);
    }
    const newSeries =
      this.#next > 0
        ? []
        : Array.from({ length: writeRows }, (_, i) => ({
            series: series + i,
            measurement,
            agency: "bench",
            sensor: `tf-${i}`,
          }));
    const block = encodeBlock({ tables: [table], newSeries, gatewayName: () => "bench" });
    const first = this.#next++;
    const begun = performance.now();
    await engine.write({ journal: "bench", first, next: first + 1, blocks: [block] });
    return performance.now() - begun;
  }
}

interface Rewritten {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly beside: readonly number[];
  readonly idle: readonly number[];
  readonly largestFile: number;
}

/** Rewrites all days step by step, while 5,000 readings are written every 50 ms. The pauses between two steps are shorter than the platform's. */
async function rewriteAll(engine: DuckDbEngine, path: string): Promise<Rewritten> {
  const today = new Today();
  await today.write(engine);
  const [beside, idle]: [number[], number[]] = [[], []];
  let [seconds, cpuSeconds, largestFile] = [0, 0, 0];
  const writeUntil = async (done: () => boolean, took: number[]): Promise<void> => {
    while (!done()) {
      took.push(await today.write(engine));
      await sleep(50);
    }
  };
  for (let day = 0; day < days; day++) {
    const table = tableName(measurement, "day", start + day * day_ms);
    for (let state = "going"; state === "going";) {
      const begun = performance.now();
      const cpu = process.cpuUsage();
      let ended = false;
      const step = engine.rewriteStep(table).finally(() => (ended = true));
      await writeUntil(() => ended, beside);
      ({ state } = await step);
      const took = performance.now() - begun;
      const { user, system } = process.cpuUsage(cpu);
      seconds += took / 1000;
      cpuSeconds += (user + system) / 1e6;
      const until = performance.now() + Math.min(took, 400);
      await writeUntil(() => performance.now() >= until, idle);
    }
    await engine.checkpoint();
    largestFile = Math.max(largestFile, (await stat(path)).size);
    say(`${day + 1} of ${days} days rewritten`);
  }
  return { seconds, cpuSeconds, beside, idle, largestFile };
}

function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))]!;
}

/** The quantile of each of as many parts, in their order, as there are rounds. */
function byRound(values: readonly number[], q: number): number[] {
  return Array.from({ length: rounds }, (_, round) => {
    const part = values.slice(
      Math.floor((round * values.length) / rounds),
      Math.floor(((round + 1) * values.length) / rounds),
    );
    return quantile(part.length > 0 ? part : values, q);
  });
}

function latency(name: string, values: readonly number[], atMost?: number): BenchFigure {
  return { name, unit: "ms", values, better: "lower", ...(atMost !== undefined && { aim: { atMost } }) };
}

async function run(folder: string): Promise<BenchDocument> {
  const path = join(folder, "marsad.duckdb");
  const million = total / 1e6;
  say(`${million.toFixed(0)} million rows: ${series} series, ${days} days`);
  const loadBegun = performance.now();
  await load(path);
  const loadSeconds = (performance.now() - loadBegun) / 1000;
  const before = await sizesOf(path);
  const random = randomOf(11);
  let engine = new DuckDbEngine({ path, memoryLimit: "512MB", threads: 1 });
  const arrival = await queryDays(engine, 6, random);
  say(`one series' day in order of arrival: ${quantile(arrival, 0.5).toFixed(1)} ms`);
  const rewritten = await rewriteAll(engine, path);
  const queries: number[][] = [];
  for (let round = 0; round < rounds; round++) queries.push(await queryDays(engine, queriesPerRound, random));
  await engine.checkpoint();
  await engine.close();
  const after = await sizesOf(path);
  engine = new DuckDbEngine({ path, memoryLimit: "512MB", threads: 1 });
  const [cold] = await queryDays(engine, 1, random);
  const stored = await engine.count();
  await engine.close();
  const written = stored - total;
  if (written < 0 || written % writeRows !== 0) throw new Error(`${stored} rows are stored of ${total}`);
  say(`loaded in ${loadSeconds.toFixed(0)} s, rewritten in ${rewritten.seconds.toFixed(0)} s`);

  return {
    rows: [
      {
        id: "days-bytes",
        title: "DuckDB, bytes a reading of two fields",
        figures: [
          { name: "in order of arrival", unit: "bytes", values: [before.used / total], better: "lower" },
          {
            name: "closed day, rewritten",
            unit: "bytes",
            values: [after.used / stored],
            better: "lower",
            aim: { atMost: 7 },
          },
          {
            name: "largest file / content, while rewriting",
            unit: "",
            values: [rewritten.largestFile / after.used],
            better: "lower",
          },
        ],
        note: `${million.toFixed(0)} million rows of ${series} series in ${days} day(s): a whole number and a number of one decimal every 10 s, times with 250 ms of jitter.`,
      },
      {
        id: "days-query",
        title: `One series' day out of ${million.toFixed(0)} million rows`,
        figures: [
          latency(
            "p50",
            queries.map((round) => quantile(round, 0.5)),
            50,
          ),
          latency(
            "p95",
            queries.map((round) => quantile(round, 0.95)),
            50,
          ),
          latency("first after opening the file", [cold!]),
          latency("p50 in order of arrival", [quantile(arrival, 0.5)]),
        ],
        note: `${perSeries} rows each, of random series and days; loaded in ${loadSeconds.toFixed(0)} s. DuckDB with one thread and 512 MB.`,
      },
      {
        id: "days-writes",
        title: `Writes of ${writeRows} readings beside a rewrite`,
        figures: [
          latency("p50, idle", byRound(rewritten.idle, 0.5)),
          latency("p50, beside", byRound(rewritten.beside, 0.5)),
          latency("p99, idle", byRound(rewritten.idle, 0.99)),
          latency("p99, beside", byRound(rewritten.beside, 0.99)),
          {
            name: "CPU of the rewrite",
            unit: "CPU-s per million rows",
            values: [rewritten.cpuSeconds / million],
            better: "lower",
          },
          {
            name: "memory of the process, at most",
            unit: "MB",
            values: [(process.resourceUsage().maxRSS * 1024) / 1e6],
            better: "lower",
          },
          {
            name: "million rows rewritten a second",
            unit: "",
            values: [million / rewritten.seconds],
            better: "higher",
          },
        ],
        note: "A batch every 50 ms; steps of the rewrite and pauses take turns, and are counted apart. The CPU has the writes beside it in it.",
      },
    ],
  };
}

const folder = await mkdtemp(join(tmpdir(), "marsad-days-"));
try {
  const document = await run(folder);
  if (options.json) process.stdout.write(`${JSON.stringify(document)}\n`);
  else
    for (const { title, figures } of document.rows) {
      console.log(title);
      for (const { name, unit, values } of figures)
        console.log(`  ${name.padEnd(42)} ${values.map((value) => value.toFixed(2)).join("  ")} ${unit}`);
    }
} finally {
  await rm(folder, { recursive: true, force: true });
}
