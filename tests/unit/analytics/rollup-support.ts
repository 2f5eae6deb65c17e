import * as fc from "fast-check";
import { rollWindow } from "#analytics/rollup/oracle.ts";
import type { Periods } from "#analytics/rollup/periods.ts";
import { type RollupPlan, rollupPlan } from "#analytics/rollup/plan.ts";
import type { SensorRules, SeriesReadings } from "#analytics/rollup/readings.ts";
import type { RollupRows } from "#analytics/rollup/rows.ts";
import { type Policy, rollups } from "#store/query.ts";
import { Measurement } from "#telemetry/catalogue.ts";

/** One field of each kind. */
export const tried: Measurement = Measurement.parse({
  name: "tried",
  domain: "water",
  title: { en: "Tried", ar: "مجرب" },
  period_s: 60,
  seasons: [],
  bad: "none",
  fields: [
    field("flow", "gauge", { unit: "L/s", plausible: [0, 500] }),
    field("speed", "gauge", { weighted_by: "vehicles" }),
    field("vehicles", "delta", {}),
    field("open", "gauge", { state: true, physical: [0, 1], plausible: [0, 1] }),
    field("total", "counter", { unit: "m3", integral_of: "flow" }),
    field("other_total", "counter", { unit: "kW.h" }),
  ],
});
export const triedPlan: RollupPlan = rollupPlan(tried);

function field(name: string, kind: string, more: object): object {
  const low = kind === "gauge" ? null : 0;
  const title = { en: name, ar: name };
  return { name, kind, unit: "1", physical: [low, null], plausible: [low, null], title, ...more };
}

export const steadyRules: SensorRules = {
  period_s: [{ from: 0, value: 60 }],
  rollovers: {},
  replacements: [],
};

/** A reading of `tried`, its fields in the plan's order; NaN: absent. */
export interface Reading {
  readonly time: number;
  readonly values: readonly number[];
}

export function readingsOf(readings: readonly Reading[]): SeriesReadings {
  const sorted = readings.toSorted((a, b) => a.time - b.time);
  return {
    time: Float64Array.from(sorted, ({ time }) => time),
    values: triedPlan.fields.map((_, at) => Float64Array.from(sorted, ({ values }) => values[at]!)),
  };
}

/** As objects by time: what is absent is left out. */
export function rowsOf(rows: RollupRows, series?: number): Map<number, Record<string, number>> {
  const found = new Map<number, Record<string, number>>();
  for (let at = 0; at < rows.size; at += 1) {
    if (series !== undefined && rows.series[at] !== series) continue;
    const row: Record<string, number> = {};
    for (const [column, { name }] of rows.plan.columns.entries()) {
      const value = rows.values[column]![at]!;
      if (!Number.isNaN(value)) row[name] = value;
    }
    found.set(rows.time[at]!, row);
  }
  return found;
}

/** Readings of a series as sensors send them: mostly by the clock, with gaps, jitter, absent fields, faults, resets. */
export function arbitraryReadings(begin: number): fc.Arbitrary<Reading[]> {
  const gap = fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 1_000, max: 90_000 }) },
    { weight: 3, arbitrary: fc.constantFrom(60_000, 30_000, 120_000) },
    { weight: 2, arbitrary: fc.integer({ min: 100_000, max: 7_200_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 80_000_000, max: 200_000_000 }) },
  );
  const value = fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 100 }) },
    { weight: 1, arbitrary: fc.constant(NaN) },
  );
  const rise = fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 0, max: 5 }).map((by) => ({ by, to: NaN })) },
    { weight: 2, arbitrary: fc.constantFrom(0, 3, 990, 100_000).map((to) => ({ by: 0, to })) },
    { weight: 2, arbitrary: fc.constant({ by: NaN, to: NaN }) },
  );
  const one = fc.record({
    gap,
    flow: value,
    speed: value,
    vehicles: fc.oneof(value, fc.constant(0)),
    open: fc.constantFrom(0, 1, NaN),
    total: rise,
    other: rise,
  });
  return fc.array(one, { minLength: 1, maxLength: 30, size: "max" }).map((steps) => {
    let time = begin;
    const counted = [0, 0];
    const count = (which: number, { by, to }: { by: number; to: number }): number => {
      // A fault stands in one reading; the counter itself goes on, or begins anew when 0 is drawn.
      if (Number.isNaN(by)) return NaN;
      if (!Number.isNaN(to)) {
        if (to === 0) counted[which] = 0;
        return to;
      }
      return (counted[which]! += by);
    };
    return steps.map(({ gap: after, flow, speed, vehicles, open, total, other }) => ({
      time: (time += after),
      values: [flow, speed, vehicles, open, count(0, total), count(1, other)],
    }));
  });
}

export const arbitraryRules: fc.Arbitrary<SensorRules> = fc.record({
  period_s: fc.constantFrom([{ from: 0, value: 60 }], [{ from: 0, value: 600 }]),
  rollovers: fc.constantFrom({}, { other_total: [{ from: 0, value: 1000 }] }),
  replacements: fc.constantFrom([], [1_795_824_000_000 + 900_000]),
});

/** What roll-ups lack, or have beyond what their readings give, of the minutes that are over at `now`. */
export function wrongRollups(
  table: (policy: Policy) => ReadonlyMap<number, Record<string, number>>,
  periods: Periods,
  rules: SensorRules,
  now: number,
): string[] {
  const readings = readingsOf(
    Array.from(table("autogen"), ([time, fields]) => ({
      time,
      values: triedPlan.fields.map(({ name }) => fields[name] ?? NaN),
    })),
  );
  return rollups.flatMap((policy) => {
    const grain = periods[policy];
    const found = table(policy);
    const around = [...readings.time].flatMap((time) => [
      grain.beginOf(time),
      grain.beginOf(grain.beginOf(time) - 1),
      grain.endOf(time),
    ]);
    const wanted = new Map<number, Record<string, number>>();
    for (const from of new Set([...found.keys(), ...around])) {
      // A window that is not over has what its minutes that are over give.
      const to = Math.min(grain.endOf(from), Math.floor((now - 5_000) / 60_000) * 60_000);
      const row = to > from ? rollWindow(triedPlan, readings, rules, { from, to }) : {};
      if (Object.keys(row).length > 0) wanted.set(from, row);
    }
    return differences(found, wanted).map((line) => `${policy} ${line}`);
  });
}

/** Equal but for the rounding of sums. */
export function differences(
  found: ReadonlyMap<number, Record<string, number>>,
  wanted: ReadonlyMap<number, Record<string, number>>,
): string[] {
  const lines: string[] = [];
  for (const time of new Set([...found.keys(), ...wanted.keys()])) {
    const [a, b] = [found.get(time) ?? {}, wanted.get(time) ?? {}];
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)]))
      if (!isNear(a[name], b[name]))
        lines.push(`${new Date(time).toISOString()} ${name}: ${a[name]}, wanted ${b[name]}`);
  }
  return lines;
}

function isNear(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
}
