import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { placeBatch } from "#analytics/jobs/place-batch.ts";
import { rollupChoice } from "#analytics/jobs/rollup-choice.ts";
import type { AnsweredSeries } from "#dashboards/grafana/asking.ts";
import { openLog } from "#runtime/log.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { openInfluxStore } from "#store/influxdb/index.ts";
import type { Store } from "#store/port.ts";
import { dashboardQueries } from "./dashboard-queries.ts";
import { startBenchedInfluxd, benchDatabase } from "./influxd.ts";
import { summariseLatencies } from "./latencies.ts";
import { type QueryCity, queryCity } from "./query-city.ts";
import { type BenchQuery, benchQueries } from "./query-shapes.ts";

export interface QueryBenchOptions {
  readonly rows: number;
  readonly sensors: number;
  readonly rounds: number;
  /** Readings a second that are written while the queries of the last part run. */
  readonly rate: number;
  /** Only these, by name. */
  readonly only?: RegExp;
}

/** Milliseconds. */
export interface QueryTimes {
  readonly p50: number;
  readonly p95: number;
}

export interface QueryBenchResult {
  readonly rows: number;
  readonly days: number;
  readonly series: number;
  readonly load_s: { readonly duckdb: number; readonly influxdb: number };
  readonly queries: readonly {
    readonly name: string;
    readonly q: string;
    /** Values in the answer, over all its series. */
    readonly values: number;
    readonly duckdb: QueryTimes;
    readonly influxdb: QueryTimes;
    /** influxd's median over DuckDB's. */
    readonly faster: number;
  }[];
  /** Of DuckDB: all queries, without and with writes beside them. */
  readonly beside_ingest: {
    readonly rate: number;
    readonly written: number;
    readonly idle: QueryTimes;
    readonly busy: QueryTimes;
  };
}

type Ask = (q: string) => Promise<string>;

const rowsPerWrite = 50_000;

/**
 * The same rows in DuckDB and in an influxd, and the dashboards' queries asked of both in turn; then DuckDB's again while readings are written at a
 * rate. Say of progress goes to `say`.
 * @throws MarsadError PROGRAM_MISSING: there is no influxd
 */
export async function benchQuery(
  options: QueryBenchOptions,
  say: (what: string) => void,
): Promise<QueryBenchResult> {
  const folder = await mkdtemp(join(tmpdir(), "marsad-bench-query-"));
  try {
    const city = queryCity({ ...options, end: Date.now() });
    await using influxd = await startBenchedInfluxd(join(folder, "influxd"));
    const log = openLog({ name: "bench", level: "warn" });
    const both = { log, tagsOf: city.tagsOf };
    await using duckdb = await openDuckDbStore({ ...both, path: join(folder, "duckdb") });
    const load_s = { duckdb: await load(duckdb, city, say), influxdb: 0 };
    {
      const target = { url: influxd.url, database: benchDatabase, path: join(folder, "influxdb") };
      await using store = await openInfluxStore({ ...both, ...target });
      load_s.influxdb = await load(store, city, say);
    }
    await influxd.quiet();
    const ours = askStore(duckdb);
    const all = [
      ...benchQueries(city),
      ...(await dashboardQueries(city.to, async (q) => seriesOf(await ours(q)))),
    ];
    const queries = all.filter(({ name }) => options.only?.test(name) ?? true);
    say(`${queries.length} queries`);
    const asked = await compare(queries, ours, askInfluxd(influxd.url), options.rounds, say);
    return {
      rows: city.rows,
      days: (city.to - city.from) / 86_400_000,
      series: city.series,
      load_s,
      queries: asked,
      beside_ingest: await besideIngest(duckdb, city, queries, options),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function load(store: Store, city: QueryCity, say: (what: string) => void): Promise<number> {
  const begun = performance.now();
  let next = begun;
  for (const batch of city.batches()) {
    await store.write(batch);
    if (performance.now() < next) continue;
    next = performance.now() + 10_000;
    say(`${store.kind}: ${batch.next} pieces of ${city.pieces}`);
  }
  for (const batch of city.rollups()) await store.writeResults([batch]);
  await store.writeResults([rollupChoice(0), placeBatch(0)]);
  const seconds = (performance.now() - begun) / 1000;
  say(`${store.kind}: ${city.rows} rows in ${seconds.toFixed(0)} s`);
  return seconds;
}

async function compare(
  queries: readonly BenchQuery[],
  duckdb: Ask,
  influxdb: Ask,
  rounds: number,
  say: (what: string) => void,
): Promise<QueryBenchResult["queries"]> {
  const times = queries.map(() => ({ duckdb: [] as number[], influxdb: [] as number[], values: 0 }));
  // The first round warms both up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [at, { name, q }] of queries.entries()) {
      const [ours, theirs] = [await timed(duckdb, q), await timed(influxdb, q)];
      const [values, expected] = [countValues(ours.answer), countValues(theirs.answer)];
      if (values !== expected) {
        throw new Error(`${name}: ${values} values from DuckDB, ${expected} from influxd: ${q}`);
      }
      if (round === 0) continue;
      times[at]!.values = values;
      times[at]!.duckdb.push(ours.ms);
      times[at]!.influxdb.push(theirs.ms);
    }
    say(`round ${round} of ${rounds}`);
  }
  return queries.map(({ name, q }, at) => {
    const { values, ...both } = times[at]!;
    const [ours, theirs] = [summary(both.duckdb), summary(both.influxdb)];
    return { name, q, values, duckdb: ours, influxdb: theirs, faster: theirs.p50 / ours.p50 };
  });
}

/** Rounds of all queries without and with writes, in turn. */
async function besideIngest(
  store: Store,
  city: QueryCity,
  queries: readonly BenchQuery[],
  { rate, rounds }: QueryBenchOptions,
): Promise<QueryBenchResult["beside_ingest"]> {
  const ask = askStore(store);
  const [idle, busy]: [number[], number[]] = [[], []];
  const batches = city.more(rowsPerWrite);
  let written = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const { q } of queries) idle.push((await timed(ask, q)).ms);
    const stop = new AbortController();
    const writing = (async () => {
      for (let due = performance.now(); !stop.signal.aborted; due += (rowsPerWrite / rate) * 1000) {
        const { value } = batches.next();
        if (value === undefined) return;
        await sleep(Math.max(0, due - performance.now()));
        await store.write(value);
        written += rowsPerWrite;
      }
    })();
    for (const { q } of queries) busy.push((await timed(ask, q)).ms);
    stop.abort();
    await writing;
  }
  return { rate, written, idle: summary(idle), busy: summary(busy) };
}

function askStore(store: Store): Ask {
  return async (q) => {
    const { body, status } = await store.query({
      q,
      epoch: "ms",
      format: "json",
      signal: new AbortController().signal,
    });
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    const answer = Buffer.concat(pieces).toString();
    if (status !== 200) throw new Error(`${q}: ${answer}`);
    return answer;
  };
}

function askInfluxd(url: string): Ask {
  return async (q) => {
    const form = new URLSearchParams({ q, epoch: "ms", db: benchDatabase });
    return await (await fetch(`${url}/query`, { method: "POST", body: form })).text();
  };
}

async function timed(ask: Ask, q: string): Promise<{ answer: string; ms: number }> {
  const begun = performance.now();
  const answer = await ask(q);
  return { answer, ms: performance.now() - begun };
}

function countValues(answer: string): number {
  return seriesOf(answer).reduce((sum, { values }) => sum + values.length, 0);
}

/** @throws for an answer with an error in it */
function seriesOf(answer: string): AnsweredSeries[] {
  const { results, error } = JSON.parse(answer) as {
    results?: { error?: string; series?: AnsweredSeries[] }[];
    error?: string;
  };
  const wrong = error ?? results?.find((result) => result.error !== undefined)?.error;
  if (wrong !== undefined) throw new Error(wrong);
  return (results ?? []).flatMap(({ series = [] }) => series.filter(({ values }) => values !== undefined));
}

function summary(values: readonly number[]): QueryTimes {
  const { p50, p95 } = summariseLatencies(values) ?? { p50: Number.NaN, p95: Number.NaN };
  return { p50, p95 };
}
