import * as fc from "fast-check";
import { expect, test } from "vitest";
import { rollCoarser } from "#analytics/rollup/coarser.ts";
import { influenceOf, type Influence } from "#analytics/rollup/extent.ts";
import { minute_ms, rollMinutes } from "#analytics/rollup/minutes.ts";
import { rollWindow } from "#analytics/rollup/oracle.ts";
import { periodsOf } from "#analytics/rollup/periods.ts";
import type { SensorRules, SeriesReadings } from "#analytics/rollup/readings.ts";
import { RollupRows } from "#analytics/rollup/rows.ts";
import { makeZone } from "#telemetry/zone.ts";
import {
  arbitraryReadings,
  arbitraryRules,
  differences,
  type Reading,
  readingsOf,
  rowsOf,
  steadyRules,
  triedPlan,
} from "./rollup-support.ts";

const begin = 1_795_824_000_000; // 2026-11-28T00:00:00Z
const { rollup_1m: minutes } = periodsOf(makeZone("Asia/Qatar"));

/** Everything that is known of a series, from its first reading on. */
function rollAll(readings: SeriesReadings, rules: SensorRules): RollupRows {
  const rows = new RollupRows(triedPlan);
  const all = { from: -Infinity, to: Infinity };
  const influence = influenceOf(
    triedPlan,
    readings,
    rules,
    all,
    { ...all, begins: true, ends: true },
    minutes,
  ) as Influence;
  rollMinutes(readings, rules, influence, all, 7, rows);
  return rows;
}

function oracle(
  readings: SeriesReadings,
  rules: SensorRules,
  windows: Iterable<{ from: number; to: number }>,
): Map<number, Record<string, number>> {
  const rows = new Map<number, Record<string, number>>();
  for (const window of windows) {
    const row = rollWindow(triedPlan, readings, rules, window);
    if (Object.keys(row).length > 0) rows.set(window.from, row);
  }
  return rows;
}

function* windowsOf(times: Iterable<number>): Generator<{ from: number; to: number }> {
  for (const from of times) yield { from, to: from + minute_ms };
}

const absent = [NaN, NaN, NaN, NaN, NaN, NaN];
function reading(seconds: number, fields: Record<string, number>): Reading {
  const values = triedPlan.fields.map(({ name }, at) => fields[name] ?? absent[at]!);
  return { time: begin + seconds * 1000, values };
}

test("minutes are what the oracle says, for every kind of field", () => {
  fc.assert(
    fc.property(arbitraryReadings(begin), arbitraryRules, (list, rules) => {
      const readings = readingsOf(list);
      const rows = rowsOf(rollAll(readings, rules));
      // Every minute with a row, and those around readings, which may wrongly have none.
      const around = list.flatMap(({ time }) =>
        [-1, 0, 1, 2].map((by) => minutes.beginOf(time) + by * minute_ms),
      );
      const wanted = oracle(readings, rules, windowsOf(new Set([...rows.keys(), ...around])));
      expect(differences(rows, wanted)).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test("hours and days made of finer rows are what the readings give, in any zone", () => {
  const zones = ["Asia/Qatar", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin"].map(makeZone);
  // Around the nights in which the clocks of the last two change.
  const begins = [begin, Date.UTC(2026, 3, 4, 12), Date.UTC(2026, 9, 3, 12), Date.UTC(2026, 9, 24, 20)];
  const cases = fc
    .tuple(fc.constantFrom(...zones), fc.constantFrom(...begins))
    .chain(([zone, from]) => fc.tuple(fc.constant(zone), arbitraryReadings(from), arbitraryRules));
  fc.assert(
    fc.property(cases, ([zone, list, rules]) => {
      const periods = periodsOf(zone);
      const readings = readingsOf(list);
      let finer = rollAll(readings, rules);
      for (const policy of ["rollup_1h", "rollup_1d"] as const) {
        const grain = periods[policy];
        const rows = new RollupRows(triedPlan);
        rollCoarser(finer, { begin: 0, end: finer.size }, grain, 7, rows);
        const found = rowsOf(rows);
        const wanted = oracle(
          readings,
          rules,
          Array.from(found.keys(), (from) => ({ from, to: grain.endOf(from) })),
        );
        expect(differences(found, wanted)).toEqual([]);
        finer = rows;
      }
    }),
    { numRuns: 40 },
  );
});

test("days are the city's, of 23 or 25 hours where its clocks change, and hours lie within them", () => {
  const { rollup_1d: days, rollup_1h: hours } = periodsOf(makeZone("Europe/Berlin"));
  const spring = days.beginOf(Date.UTC(2026, 2, 29, 12));
  expect([spring, days.endOf(spring) - spring]).toEqual([Date.UTC(2026, 2, 28, 23), 23 * 3_600_000]);
  const autumn = days.beginOf(Date.UTC(2026, 9, 25, 12));
  expect([autumn, days.endOf(autumn) - autumn]).toEqual([Date.UTC(2026, 9, 24, 22), 25 * 3_600_000]);
  expect(hours.beginOf(Date.UTC(2026, 9, 25, 1, 30))).toBe(Date.UTC(2026, 9, 25, 1));

  for (const name of [
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Qatar",
  ]) {
    const periods = periodsOf(makeZone(name));
    let hour = periods.rollup_1d.beginOf(Date.UTC(2026, 2, 1, 12));
    const until = Date.UTC(2026, 4, 10);
    const parted: string[] = [];
    while (hour < until) {
      const end = periods.rollup_1h.endOf(hour);
      const isWhole =
        periods.rollup_1h.beginOf(end - 1) === hour &&
        periods.rollup_1h.beginOf(end) === end &&
        periods.rollup_1d.beginOf(hour) === periods.rollup_1d.beginOf(end - 1);
      if (!isWhole) parted.push(`${name} ${new Date(hour).toISOString()}`);
      hour = end;
    }
    expect(parted).toEqual([]);
  }
  expect(periodsOf(makeZone("Asia/Kathmandu")).rollup_1h.beginOf(begin)).toBe(begin - 45 * minute_ms);
});

function increases(list: readonly (readonly [number, number])[], rules: SensorRules = steadyRules): number {
  const readings = readingsOf(list.map(([seconds, total]) => reading(seconds, { other_total: total })));
  const { other_total_increase: increase } = rollWindow(triedPlan, readings, rules, {
    from: begin,
    to: begin + 86_400_000,
  });
  const rows = rowsOf(rollAll(readings, rules));
  const sum = [...rows.values()].reduce((total, row) => total + (row["other_total_increase"] ?? 0), 0);
  expect(sum).toBeCloseTo(increase!, 9);
  return Math.round(sum * 1e6) / 1e6;
}

function eachMinute(...values: number[]): [number, number][] {
  return values.map((value, i) => [60 * i, value]);
}

test("counters: what rises is counted, what is out of line waits for two more readings", () => {
  expect(increases(eachMinute(1000, 1010, 1030))).toBe(30);
  expect(increases(eachMinute(1000, 0, 1000))).toBe(0);
  expect(increases(eachMinute(1000, 0, 0, 1004))).toBe(4);
  // Not known yet what it is.
  expect(increases(eachMinute(1000, 0, 5))).toBe(0);
  expect(increases(eachMinute(1000, 0, 5, 9))).toBe(9);
  // Each of two resets one after the other.
  expect(increases(eachMinute(1000, 500, 0, 10, 20))).toBe(20);
});

test("counters: a declared rollover wraps near the top, a declared replacement starts anew", () => {
  const wraps: SensorRules = { ...steadyRules, rollovers: { other_total: [{ from: 0, value: 1000 }] } };
  expect(
    increases(
      [
        [0, 990],
        [60, 5],
        [120, 10],
      ],
      wraps,
    ),
  ).toBe(20);
  expect(
    increases(
      [
        [0, 600],
        [60, 0],
        [120, 600],
      ],
      wraps,
    ),
  ).toBe(0);
  const swapped: SensorRules = { ...steadyRules, replacements: [begin + 90_000] };
  expect(
    increases(
      [
        [0, 990],
        [60, 995],
        [120, 3],
        [180, 7],
      ],
      swapped,
    ),
  ).toBe(9);
  expect(
    increases(
      [
        [0, 990],
        [60, 995],
        [120, 5000],
        [180, 5001],
      ],
      swapped,
    ),
  ).toBe(6);
});

/** Of the counter whose flow is rated at 500 L/s, 30 m3 a minute. */
function totals(...values: number[]): number[] {
  const readings = readingsOf(values.map((value, i) => reading(60 * i, { total: value })));
  return Array.from(rowsOf(rollAll(readings, steadyRules)).values(), (row) => row["total_increase"]!);
}

test("counters: an increase beyond the rated flow is not counted", () => {
  expect(triedPlan.fields.find(({ name }) => name === "total")?.mostPerSecond).toBe(0.5);
  expect(totals(100, 110, 140)).toEqual([10, 30, 0]);
  expect(totals(100, 90_000, 120)).toEqual([10, 10, 0]);
  expect(totals(100, 90_000, 90_010, 90_030)).toEqual([0, 10, 20, 0]);
});

test("an increase between two readings is shared by time among the minutes between them", () => {
  const readings = readingsOf([reading(30, { other_total: 0 }), reading(150, { other_total: 120 })]);
  const rows = [...rowsOf(rollAll(readings, steadyRules)).values()];
  expect(rows.map((row) => row["other_total_increase"])).toEqual([30, 60, 30]);
  // Beyond a day it counts where it was read.
  const far = readingsOf([reading(30, { other_total: 0 }), reading(90_150, { other_total: 120 })]);
  expect([...rowsOf(rollAll(far, steadyRules)).values()].map((row) => row["other_total_increase"])).toEqual([
    0, 120,
  ]);
});

test("a gauge's value stands until the next one, and for a period and a half at most", () => {
  const readings = readingsOf([
    reading(0, { flow: 10 }),
    reading(30, { flow: 20 }),
    reading(600, { flow: 1 }),
  ]);
  const rows = [...rowsOf(rollAll(readings, steadyRules)).values()].map((row) => [
    row["flow_mean"],
    row["flow_covered_s"],
    row["flow_count"],
    row["flow_max"],
  ]);
  expect(rows).toEqual([
    [15, 60, 2, 20],
    [20, 60, 0, undefined],
    [1, 60, 1, 1],
    [1, 30, 0, undefined],
  ]);
});

test("a mean speed is weighted by vehicles, and plain where none passed", () => {
  const readings = readingsOf([
    reading(0, { speed: 30, vehicles: 30 }),
    reading(20, { speed: 90, vehicles: 10 }),
    reading(40, { speed: 50, vehicles: 0 }),
    reading(60, { speed: 70, vehicles: 0 }),
    reading(80, { speed: 80 }),
  ]);
  const rows = [...rowsOf(rollAll(readings, steadyRules)).values()];
  expect(rows.map((row) => [row["speed_mean"], row["speed_weight"]])).toEqual([
    [45, 40],
    [75, 0],
    [undefined, undefined],
  ]);
});
