import type { PlannedField } from "./plan.ts";
import { type From, type SensorRules, valueAt } from "./readings.ts";

/**
 * The counter rule. From one believed reading to the next the increase is the difference, or what a declared rollover makes of a drop; across a declared replacement it
 * is none. A reading out of line (a drop, a rise beyond the rated flow) waits for two more: the first of them that is in line with the last believed one takes its
 * place, so that 1000 -> 0 -> 1000 adds 0; if neither is, the counter began anew at the first, and what lies before it is not counted.
 */
export interface CounterRules {
  readonly mostPerSecond: number;
  readonly rollovers: readonly From<number | null>[];
  readonly replacements: readonly number[];
}

export function counterRules({ name, mostPerSecond }: PlannedField, rules: SensorRules): CounterRules {
  return { mostPerSecond, rollovers: rules.rollovers[name] ?? [], replacements: rules.replacements };
}

/** Increases between believed readings, by the readings' places. Used again for each series: nothing is made per reading. */
export class CounterSteps {
  from = new Int32Array(256);
  to = new Int32Array(256);
  increase = new Float64Array(256);
  size = 0;
  /** The last reading that was believed; -1: there is none. Readings after it wait. */
  base = -1;

  clear(): void {
    this.size = 0;
    this.base = -1;
  }

  add(from: number, to: number, increase: number): void {
    if (this.size === this.from.length) this.#grow();
    this.from[this.size] = from;
    this.to[this.size] = to;
    this.increase[this.size] = increase;
    this.size += 1;
    this.base = to;
  }

  #grow(): void {
    for (const name of ["from", "to"] as const) {
      const longer = new Int32Array(2 * this.size);
      longer.set(this[name]);
      this[name] = longer;
    }
    const longer = new Float64Array(2 * this.size);
    longer.set(this.increase);
    this.increase = longer;
  }
}

/** Follows the counter through the readings before place `end`. NaN: the reading does not have it. */
export function followCounter(
  time: Float64Array,
  values: Float64Array,
  end: number,
  rules: CounterRules,
  steps: CounterSteps,
): void {
  steps.clear();
  let at = next(values, -1, end);
  if (at === end) return;
  steps.base = at;
  at = next(values, at, end);
  while (at < end) {
    const increase = step(time, values, steps.base, at, rules);
    if (increase >= 0) {
      steps.add(steps.base, at, increase);
      at = next(values, at, end);
      continue;
    }
    const second = next(values, at, end);
    const third = second === end ? end : next(values, second, end);
    const bySecond = second === end ? NaN : step(time, values, steps.base, second, rules);
    const byThird = third === end ? NaN : step(time, values, steps.base, third, rules);
    if (bySecond >= 0) {
      steps.add(steps.base, second, bySecond);
      at = next(values, second, end);
    } else if (byThird >= 0) {
      steps.add(steps.base, third, byThird);
      at = next(values, third, end);
    } else if (third === end) {
      return;
    } else {
      steps.base = at;
      at = second;
    }
  }
}

/**
 * The place of the third of three readings in line, at `begin` or after it: whatever was believed before them, it is believed, and nothing waits. `end` when there
 * are no such three.
 */
export function settledAt(
  time: Float64Array,
  values: Float64Array,
  begin: number,
  end: number,
  { mostPerSecond }: CounterRules,
): number {
  let run = 1;
  let last = next(values, begin - 1, end);
  if (last === end) return end;
  for (let at = next(values, last, end); at < end; at = next(values, at, end)) {
    run = isRise(time, values, last, at, mostPerSecond) ? run + 1 : 1;
    if (run === 3) return at;
    last = at;
  }
  return end;
}

/** NaN: out of line. */
function step(
  time: Float64Array,
  values: Float64Array,
  base: number,
  at: number,
  { mostPerSecond, rollovers, replacements }: CounterRules,
): number {
  if (replacements.length > 0 && isReplaced(replacements, time[base]!, time[at]!)) return 0;
  if (isRise(time, values, base, at, mostPerSecond)) return values[at]! - values[base]!;
  if (rollovers.length === 0 || values[at]! > values[base]!) return NaN;
  const size = valueAt(rollovers, time[at]!) ?? NaN;
  const wrapped = size - values[base]! + values[at]!;
  // A 0 between two readings far from the top is a fault of the reading, and no way round.
  const isWrap = wrapped >= 0 && wrapped < size / 4;
  return isWrap && wrapped <= most(time, base, at, mostPerSecond) ? wrapped : NaN;
}

function isRise(
  time: Float64Array,
  values: Float64Array,
  base: number,
  at: number,
  mostPerSecond: number,
): boolean {
  const rise = values[at]! - values[base]!;
  return rise >= 0 && (mostPerSecond === Infinity || rise <= most(time, base, at, mostPerSecond));
}

function most(time: Float64Array, base: number, at: number, mostPerSecond: number): number {
  return ((time[at]! - time[base]!) / 1000) * mostPerSecond;
}

function isReplaced(replacements: readonly number[], after: number, until: number): boolean {
  return replacements.some((at) => at > after && at <= until);
}

/** The next place after `at` with a value, or `end`. */
function next(values: Float64Array, at: number, end: number): number {
  let place = at + 1;
  while (place < end && Number.isNaN(values[place])) place += 1;
  return Math.min(place, end);
}
