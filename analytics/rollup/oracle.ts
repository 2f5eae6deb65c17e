import type { PlannedField, RollupPlan } from "./plan.ts";
import { type SensorRules, type SeriesReadings, heldFor, spreadOver, valueAt } from "./readings.ts";

/** The meaning of every roll-up field, to be read: one window at a time, from all readings of a series. `minutes.ts` and `coarser.ts` are held to it. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** @returns the fields that are known of the window; none: there is no row. */
export function rollWindow(
  plan: RollupPlan,
  readings: SeriesReadings,
  rules: SensorRules,
  window: Window,
): Record<string, number> {
  const row: Record<string, number> = {};
  for (const [at, field] of plan.fields.entries()) {
    const points = pointsOf(readings, at);
    const inside = points.filter(({ time }) => time >= window.from && time < window.to);
    const parts = partsOf(field, points, inside, readings, rules, window);
    for (const [of, value] of Object.entries(parts))
      if (!Number.isNaN(value)) row[`${field.name}_${of}`] = value;
  }
  return row;
}

interface Point {
  readonly time: number;
  readonly value: number;
  /** Among the readings. */
  readonly at: number;
}

function pointsOf({ time, values }: SeriesReadings, field: number): Point[] {
  return Array.from(time, (instant, at) => ({ time: instant, value: values[field]![at]!, at })).filter(
    ({ value }) => !Number.isNaN(value),
  );
}

function partsOf(
  field: PlannedField,
  points: readonly Point[],
  inside: readonly Point[],
  readings: SeriesReadings,
  rules: SensorRules,
  window: Window,
): Record<string, number> {
  const values = inside.map(({ value }) => value);
  const known = values.length > 0;
  const last = values.at(-1) ?? NaN;
  const sum = known ? total(values) : NaN;
  const bounds = known ? { min: Math.min(...values), max: Math.max(...values) } : {};
  const count = known ? values.length : NaN;
  if (field.kind === "delta") return { sum, mean: sum / count, ...bounds, last, count };
  if (field.kind === "counter") return { increase: increaseIn(field, points, rules, window), last, count };
  const { mean, covered_s } = byTime(points, rules, window);
  const held = { last, count: covered_s > 0 ? values.length : NaN, covered_s };
  if (field.kind === "state") return { mean, ...held };
  if (field.kind === "gauge") return { mean, ...bounds, sum, ...held };
  const weights = inside.map(({ at }) => Math.max(0, readings.values[field.weight]![at]! || 0));
  const weight = known ? total(weights) : NaN;
  const weighed = total(values.map((value, i) => value * weights[i]!)) / weight;
  return { mean: weight > 0 ? weighed : sum / count, ...bounds, sum, ...held, weight };
}

function byTime(
  points: readonly Point[],
  rules: SensorRules,
  { from, to }: Window,
): { mean: number; covered_s: number } {
  let weighed = 0;
  let covered = 0;
  for (const [i, { time, value }] of points.entries()) {
    const stands = Math.min(time + heldFor(rules, time), points[i + 1]?.time ?? Infinity);
    const part = Math.max(0, Math.min(stands, to) - Math.max(time, from));
    weighed += value * part;
    covered += part;
  }
  return covered > 0 ? { mean: weighed / covered, covered_s: covered / 1000 } : { mean: NaN, covered_s: NaN };
}

function increaseIn(
  field: PlannedField,
  points: readonly Point[],
  rules: SensorRules,
  { from, to }: Window,
): number {
  const isInside = (time: number): boolean => time >= from && time < to;
  const overlap = (a: Point, b: Point): number => Math.min(b.time, to) - Math.max(a.time, from);
  const isShared = (a: Point, b: Point): boolean => b.time - a.time <= spreadOver(rules, b.time);
  const isKnown = points.some(
    (point, i) =>
      isInside(point.time) ||
      (i > 0 && isShared(points[i - 1]!, point) && overlap(points[i - 1]!, point) > 0),
  );
  if (!isKnown) return NaN;
  let increase = 0;
  for (const [a, b, risen] of believed(field, points, rules)) {
    if (isShared(a, b)) increase += (risen * Math.max(0, overlap(a, b))) / (b.time - a.time);
    else if (isInside(b.time)) increase += risen;
  }
  return increase;
}

/** From one believed reading to the next, and by how much it rose. */
function believed(
  field: PlannedField,
  points: readonly Point[],
  rules: SensorRules,
): (readonly [Point, Point, number])[] {
  const steps: (readonly [Point, Point, number])[] = [];
  let [base, ...rest] = points;
  while (base !== undefined && rest.length > 0) {
    const waiting = rest.slice(0, 3);
    const from: Point = base;
    const found = waiting.findIndex((point) => isInLine(field, from, point, rules));
    if (found >= 0) {
      const to = waiting[found]!;
      steps.push([base, to, stepOf(field, base, to, rules)!]);
      base = to;
      rest = rest.slice(found + 1);
    } else if (waiting.length === 3) {
      base = waiting[0]!;
      rest = rest.slice(1);
    } else {
      break;
    }
  }
  return steps;
}

function isInLine(field: PlannedField, base: Point, point: Point, rules: SensorRules): boolean {
  return stepOf(field, base, point, rules) !== undefined;
}

function stepOf(field: PlannedField, base: Point, point: Point, rules: SensorRules): number | undefined {
  if (rules.replacements.some((at) => at > base.time && at <= point.time)) return 0;
  const most = field.mostPerSecond * ((point.time - base.time) / 1000);
  const rise = point.value - base.value;
  if (rise >= 0) return rise <= most ? rise : undefined;
  const size = valueAt(rules.rollovers[field.name] ?? [], point.time) ?? 0;
  const wrapped = size + rise;
  return wrapped >= 0 && wrapped < size / 4 && wrapped <= most ? wrapped : undefined;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
