/*
 * What roll-ups cost: the columns alone and their oracle; a city's minute (readings of a minute become rows of a minute, the running hour and
 * day now and then) and its history, with the job on DuckDB, the CPU of the store's thread included:
 *
 *     node tests/bench/rollup.bench.ts [--json] [--rounds N] [--minutes N]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { rollupJob } from "#analytics/jobs/rollup-job.ts";
import { type Influence, influenceOf } from "#analytics/rollup/extent.ts";
import { minute_ms, rollMinutes } from "#analytics/rollup/minutes.ts";
import { rollWindow } from "#analytics/rollup/oracle.ts";
import { periodsOf } from "#analytics/rollup/periods.ts";
import { type RollupPlan, rollupPlan } from "#analytics/rollup/plan.ts";
import type { SensorRules, SeriesReadings } from "#analytics/rollup/readings.ts";
import { RollupRows } from "#analytics/rollup/rows.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import type { Store } from "#store/port.ts";
import { encodeBlock } from "#telemetry/block.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Field, Measurement } from "#telemetry/catalogue.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import { makeZone } from "#telemetry/zone.ts";
import { type BenchDocument, type BenchFigure, type BenchRow, median } from "./result.ts";

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    minutes: { type: "string", default: "15" },
  },
});
const rounds = Number(options.rounds);
const liveMinutes = Number(options.minutes);
const hour_ms = 60 * minute_ms;
const begin = Date.UTC(2026, 0, 31);
const zone = makeZone("Asia/Qatar");
const { measurements } = builtinCatalogue;

function rulesOf(period_s: number): SensorRules {
  return { period_s: [{ from: 0, value: period_s }], rollovers: {}, replacements: [] };
}

function valueOf({ kind, state }: Field, series: number, time: number): number {
  const at = Math.floor(time / 1000);
  if (state === true) return Math.floor(at / 600 + series) % 2;
  if (kind === "counter") return (at - begin / 1000) * 0.01;
  return kind === "delta" ? (at + series) % 30 : 50 + ((at * 7 + series) % 100) / 10;
}

/** An hour of one series, a reading each `step_s`. */
function hourOf({ fields }: Measurement, step_s: number): SeriesReadings {
  const time = Float64Array.from({ length: 3600 / step_s }, (_, i) => begin + i * step_s * 1000);
  return { time, values: fields.map((field) => time.map((at) => valueOf(field, 1, at))) };
}

/** Readings a second on one core. */
function ratesOf(measurement: Measurement, step_s: number): { columns: number[]; oracle: number[] } {
  const plan = rollupPlan(measurement);
  const readings = hourOf(measurement, step_s);
  const rules = rulesOf(step_s);
  const all = { from: begin, to: begin + hour_ms };
  const rows = new RollupRows(plan);
  const grain = periodsOf(zone).rollup_1m;
  const columns = (): void => {
    rows.clear();
    const read = { ...all, begins: true, ends: true };
    rollMinutes(
      readings,
      rules,
      influenceOf(plan, readings, rules, all, read, grain) as Influence,
      all,
      1,
      rows,
    );
  };
  let kept = 0;
  const rates = { columns: new Array<number>(), oracle: new Array<number>() };
  for (let round = 0; round < rounds; round += 1) {
    rates.columns.push(rateOf(columns, readings.time.length, 700_000));
    kept += rows.size;
    rates.oracle.push(
      rateOf(() => (kept += oracleHour(plan, readings, rules)), readings.time.length, 10_000),
    );
  }
  if (kept === 0) throw new Error("nothing was rolled up");
  return rates;
}

function oracleHour(plan: RollupPlan, readings: SeriesReadings, rules: SensorRules): number {
  let fields = 0;
  for (let from = begin; from < begin + hour_ms; from += minute_ms)
    fields += Object.keys(rollWindow(plan, readings, rules, { from, to: from + minute_ms })).length;
  return fields;
}

/** @param least  As many readings at least. */
function rateOf(work: () => void, readings: number, least: number): number {
  const times = Math.ceil(least / readings);
  for (let i = 0; i < times; i += 1) work(); // compiled before it counts
  const before = process.threadCpuUsage();
  for (let i = 0; i < times; i += 1) work();
  const { user, system } = process.threadCpuUsage(before);
  return (readings * times) / ((user + system) / 1e6);
}

/** So many sensors over all measurements that speak as the catalogue says, or each `step_s` of traffic alone. */
class City {
  readonly #sensors: number;
  readonly #of: readonly Measurement[];
  readonly #step_s: number | undefined;
  readonly #known = new Set<number>();
  #next = 0;

  constructor(sensors: number, step_s?: number) {
    this.#sensors = sensors;
    this.#step_s = step_s;
    this.#of = step_s === undefined ? measurements : measurements.slice(0, 1);
  }

  period_s(measurement: Measurement): number {
    return this.#step_s ?? measurement.period_s;
  }

  /** Stores what the sensors say in [from, to). @returns how many readings that was */
  async write(store: Store, from: number, to: number): Promise<number> {
    const newSeries: SeriesEntry[] = [];
    let readings = 0;
    const tables = this.#of.map((measurement, at) => {
      const table = new ReadingTable(measurement, 1024);
      for (let series = at; series < this.#sensors; series += this.#of.length) {
        if (!this.#known.has(series))
          newSeries.push({ series, measurement: measurement.name, agency: "city", sensor: `s-${series}` });
        this.#known.add(series);
        const period = this.period_s(measurement) * 1000;
        const phase = (series * 977) % period;
        for (let time = Math.ceil((from - phase) / period) * period + phase; time < to; time += period) {
          const row = table.nextRow();
          table.time[row] = time;
          table.series[row] = series;
          for (const [place, field] of measurement.fields.entries())
            table.values[place]![row] = valueOf(field, series, time);
          table.commitRow(0);
          readings += 1;
        }
      }
      return table;
    });
    const block = encodeBlock({ tables, newSeries, gatewayName: () => "gw-1" });
    const journal = "5b0b7c3e-0000-4000-8000-000000000000";
    await store.write({ journal, first: this.#next, next: this.#next + 1, blocks: [block] });
    this.#next += 1;
    return readings;
  }
}

interface CityCost {
  /** Of a core, while the city lives. */
  readonly live_percent: number;
  readonly history_per_cpu_s: number | undefined;
}

async function costOf(city: City, historyHours: number): Promise<CityCost> {
  const path = await mkdtemp(join(tmpdir(), "marsad-rollup-"));
  try {
    await using store = await openDuckDbStore({ path, log: pino({ level: "silent" }) });
    let now = begin;
    const job = rollupJob({
      store,
      catalogue: () => builtinCatalogue,
      zone,
      rulesOf: (_, measurement) => rulesOf(city.period_s(measurement)),
      isBehind: () => false,
      keptDays: {},
      now: () => now,
    });
    const run = async (): Promise<number> => {
      const before = process.cpuUsage();
      do await job.run(AbortSignal.timeout(600_000));
      while ((job.behind?.() ?? 0) > 0);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1e6;
    };
    let history = 0;
    for (let at = 0; at < historyHours; at += 1)
      history += await city.write(store, begin + at * hour_ms, begin + (at + 1) * hour_ms);
    now = begin + historyHours * hour_ms + 10_000;
    const historyCpu = await run();
    // The first minutes learn how much is to be read around a minute.
    const learning = 6;
    let cpu = 0;
    for (let minute = 0; minute < learning + liveMinutes; minute += 1) {
      await city.write(store, minute === 0 ? now - 10_000 : now, now + minute_ms);
      now += minute_ms;
      const cost = await run();
      if (minute >= learning) cpu += cost;
    }
    return {
      live_percent: (100 * cpu) / (60 * liveMinutes),
      history_per_cpu_s: historyHours > 0 ? history / historyCpu : undefined,
    };
  } finally {
    await rm(path, { recursive: true });
  }
}

function percent(values: readonly number[], atMost?: number): BenchFigure {
  const about = { name: "while it lives", unit: "% of a core", values, better: "lower" } as const;
  return atMost === undefined ? about : { ...about, aim: { atMost } };
}

const rows: BenchRow[] = [];
for (const [name, step_s] of [
  ["traffic_flow", 1],
  ["water_flow", 1],
  ["water_flow", 60],
  ["energy_meter", 1],
] as const) {
  const measurement = measurements[builtinCatalogue.indexOf(name)!]!;
  const { columns, oracle } = ratesOf(measurement, step_s);
  console.error(`${name} each ${step_s} s: ${(median(columns) / 1e6).toFixed(1)} million readings/s`);
  const aim = step_s === 1 ? { aim: { atLeast: 5_000_000 } } : {};
  rows.push({
    id: `rollup-${name}-${step_s}`,
    title: `readings of ${name} to minutes, one each ${step_s} s`,
    figures: [
      { name: "columns", unit: "readings/s", values: columns, better: "higher", ...aim },
      { name: "oracle", unit: "readings/s", values: oracle, better: "higher" },
    ],
    note: `${measurement.fields.length} fields a reading; one core, CPU time.`,
  });
}
for (const { id, title, city, hours, atMost } of [
  { id: "300", title: "300 sensors of all measurements", city: () => new City(300), hours: 24, atMost: 1 },
  {
    id: "10000",
    title: "10,000 sensors of all measurements",
    city: () => new City(10_000),
    hours: 2,
    atMost: undefined,
  },
  {
    id: "1s",
    title: "10,000 traffic sensors, one reading a second each",
    city: () => new City(10_000, 1),
    hours: 0,
    atMost: undefined,
  },
]) {
  const costs: CityCost[] = [];
  for (let round = 0; round < rounds; round += 1) {
    costs.push(await costOf(city(), hours));
    console.error(`${title}: ${costs.at(-1)!.live_percent.toFixed(2)} % of a core`);
  }
  const history = costs.flatMap(({ history_per_cpu_s: rate }) => rate ?? []);
  rows.push({
    id: `rollup-city-${id}`,
    title: `roll-ups of ${title}`,
    figures: [
      percent(
        costs.map(({ live_percent }) => live_percent),
        atMost,
      ),
      ...(history.length > 0
        ? [{ name: "history", unit: "readings a CPU-s", values: history, better: "higher" } as const]
        : []),
    ],
    note: "The job on DuckDB: minutes, the running hour every five and the running day every fifteen; CPU of the process, the store's thread too.",
  });
}
const document: BenchDocument = { rows };
if (options.json) process.stdout.write(`${JSON.stringify(document)}\n`);
else console.dir(document, { depth: null });
