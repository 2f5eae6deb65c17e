/** What a series' readings were, by time, each time once. */
export interface SeriesReadings {
  /** ms since 1970. */
  readonly time: Float64Array;
  /** By the place of their field in the plan; NaN: absent. Booleans are 0 and 1. */
  readonly values: readonly Float64Array[];
}

/** A version of something, from a time on until the next begins. */
export interface From<T> {
  readonly from: number;
  readonly value: T;
}

/** What roll-ups must know of a sensor. */
export interface SensorRules {
  /** How often it should speak, in seconds, over time; before the first: as the first. */
  readonly period_s: readonly From<number>[];
  /** By field: where the counter starts again from 0. */
  readonly rollovers: Readonly<Record<string, readonly From<number | null>[]>>;
  /** When its device was swapped and counters started anew; rising. */
  readonly replacements: readonly number[];
}

/** A value stands until the next one, and at most so many periods: half a period late is not silence yet. */
export const heldPeriods = 1.5;
/** An increase over a longer time than this, or than so many periods, counts where it was read. */
const longestSpread_ms = 24 * 3_600_000;
const spreadPeriods = 3;

export function valueAt<T>(versions: readonly From<T>[], time: number): T | undefined {
  for (let i = versions.length - 1; i > 0; i -= 1) {
    const version = versions[i]!;
    if (version.from <= time) return version.value;
  }
  return versions[0]?.value;
}

/** How long the value of a reading of that time stands, ms. */
export function heldFor(rules: SensorRules, time: number): number {
  return valueAt(rules.period_s, time)! * heldPeriods * 1000;
}

export function longestHeld(rules: SensorRules): number {
  let longest = 0;
  for (const { value } of rules.period_s) longest = Math.max(longest, value);
  return longest * heldPeriods * 1000;
}

/** Up to which time between two readings an increase is shared among the windows between them, ms. */
export function spreadOver(rules: SensorRules, time: number): number {
  return Math.max(longestSpread_ms, valueAt(rules.period_s, time)! * spreadPeriods * 1000);
}

export function longestSpread(rules: SensorRules): number {
  return Math.max(longestSpread_ms, (longestHeld(rules) / heldPeriods) * spreadPeriods);
}

/** The place of the first reading at or after `at`. */
export function placeOf(time: Float64Array, at: number): number {
  let low = 0;
  let high = time.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (time[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
