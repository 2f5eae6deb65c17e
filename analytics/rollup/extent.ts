import { type CounterRules, CounterSteps, counterRules, followCounter, settledAt } from "./counter.ts";
import type { PlannedField, RollupPlan } from "./plan.ts";
import { type SensorRules, type SeriesReadings, longestHeld, placeOf, spreadOver } from "./readings.ts";

/** A stretch of time, [from, to), ms since 1970. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What was read of a series: the stretch, and whether the series has nothing before it or after it. */
export interface ReadStretch extends Stretch {
  readonly begins: boolean;
  readonly ends: boolean;
}

/** More must be read on a side before it is known which windows change, or what they are. */
export interface Short {
  readonly before: boolean;
  readonly after: boolean;
}

/** Windows of the finest roll-up that is asked for. */
export interface Grain {
  /** The beginning of the window that an instant lies in. */
  beginOf(time: number): number;
  /** The end of the window that an instant lies in. */
  endOf(time: number): number;
}

/** By the plan's fields; undefined: nothing changes. */
export type Influence = readonly (Stretch | undefined)[];

const steps = new CounterSteps();

/**
 * Which windows the readings in `changed` can have an influence on, field by field: their own, those since the reading before them, those in which their last value still
 * stands, and of a counter those back to the reading before them and on to the reading from which it goes its way whatever was before.
 * @param readings  All of the series in `read`, which holds `changed`.
 */
export function influenceOf(
  plan: RollupPlan,
  readings: SeriesReadings,
  rules: SensorRules,
  changed: Stretch,
  read: ReadStretch,
  grain: Grain,
): Influence | Short {
  const begin = placeOf(readings.time, changed.from);
  const end = placeOf(readings.time, changed.to);
  let before = false;
  let after = false;
  const influence = plan.fields.map((field, at): Stretch | undefined => {
    const values = readings.values[at]!;
    const first = nextPlace(values, begin, end);
    if (first === end) return undefined;
    const last = placeBefore(values, end);
    const found = (field.kind === "counter" ? ofCounter : ofValues)(
      field,
      readings.time,
      values,
      { first, last },
      rules,
      read,
      grain,
    );
    before ||= found.before;
    after ||= found.after;
    return found.stretch;
  });
  return before || after ? { before, after } : influence;
}

interface Found extends Short {
  readonly stretch: Stretch;
}

interface Places {
  /** Of the first and the last changed reading that has the field. */
  readonly first: number;
  readonly last: number;
}

function ofValues(
  { kind }: PlannedField,
  time: Float64Array,
  values: Float64Array,
  { first, last }: Places,
  rules: SensorRules,
  read: ReadStretch,
  grain: Grain,
): Found {
  let from = grain.beginOf(time[first]!);
  let stands = time[last]!;
  const held = kind === "delta" ? 0 : longestHeld(rules);
  const previous = held > 0 ? placeBefore(values, first) : -1;
  // Windows in which the value before stands were not over yet when that was rolled up.
  if (previous >= 0) from = Math.min(from, grain.endOf(time[previous]!));
  const next = nextPlace(values, last + 1, time.length);
  if (held > 0) stands += Math.min(held, next < time.length ? time[next]! - stands : Infinity) - 1;
  const to = grain.endOf(stands);
  const stood = placeBefore(values, placeOf(time, from + 1)) >= 0;
  return {
    stretch: { from, to },
    before: !read.begins && read.from > from - (stood ? 0 : held),
    after: !read.ends && read.to < to,
  };
}

function ofCounter(
  field: PlannedField,
  time: Float64Array,
  values: Float64Array,
  { first, last }: Places,
  rules: SensorRules,
  read: ReadStretch,
  grain: Grain,
): Found {
  const { length } = time;
  const counter = counterRules(field, rules);
  let from = time[first]!;
  followCounter(time, values, first, counter, steps);
  const { base } = steps;
  const waiting = nextPlace(values, base + 1, first);
  // Readings that waited may be counted from now on; an increase over a long time counts at its end.
  if (waiting < first) from = time[waiting]!;
  if (base >= 0 && time[first]! - time[base]! <= spreadOver(rules, time[first]!)) from = time[base]!;
  from = grain.beginOf(from);
  const settled = settlesAt(time, values, last + 1, counter);
  const to = grain.endOf(time[Math.min(settled, length - 1)]!);
  const stood = placeOf(time, from + 1);
  const isSettledBefore =
    settledAt(time, values, 0, stood, counter) < stood || placesBack(values, stood, unsettledReadings) >= 0;
  const isSettledAfter = settled < length && settlesAt(time, values, placeOf(time, to), counter) < length;
  return {
    stretch: { from, to },
    before: !read.begins && !isSettledBefore,
    after: !read.ends && !isSettledAfter,
  };
}

/** So many readings of which no three follow one another in line are no counter: more of them tell no more. */
const unsettledReadings = 64;

/** From which place on, at `begin` or after it, the counter goes its way; the readings' number: nothing read says so. */
function settlesAt(time: Float64Array, values: Float64Array, begin: number, counter: CounterRules): number {
  const settled = settledAt(time, values, begin, time.length, counter);
  return settled < time.length ? settled : placesOn(values, begin, unsettledReadings);
}

/** The place of the `count`th value from `begin` on, or the number of places. */
function placesOn(values: Float64Array, begin: number, count: number): number {
  let place = begin - 1;
  for (let left = count; left > 0 && place < values.length; left -= 1)
    place = nextPlace(values, place + 1, values.length);
  return place;
}

/** The place of the `count`th value before `end`, going back, or -1. */
function placesBack(values: Float64Array, end: number, count: number): number {
  let place = end;
  for (let left = count; left > 0 && place >= 0; left -= 1) place = placeBefore(values, place);
  return place;
}

/** The first place from `begin` on with a value, or `end`. */
function nextPlace(values: Float64Array, begin: number, end: number): number {
  let place = begin;
  while (place < end && Number.isNaN(values[place])) place += 1;
  return place;
}

/** The last place before `end` with a value, or -1. */
function placeBefore(values: Float64Array, end: number): number {
  let place = end - 1;
  while (place >= 0 && Number.isNaN(values[place])) place -= 1;
  return place;
}
