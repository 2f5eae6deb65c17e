import type { Influence, Stretch } from "./extent.ts";
import { CounterSteps, counterRules, followCounter } from "./counter.ts";
import type { PlannedField } from "./plan.ts";
import {
  type SensorRules,
  type SeriesReadings,
  heldFor,
  longestHeld,
  longestSpread,
  placeOf,
  spreadOver,
} from "./readings.ts";
import type { RollupRows } from "./rows.ts";

export const minute_ms = 60_000;

const steps = new CounterSteps();

/** Minutes that are held as columns at once, at most. */
const most = 1440;

/**
 * Appends the rows of the minutes that `influence` names, field by field; other cells are left out. The readings must hold all that speaks of these minutes:
 * `influenceOf` says whether they do. `oracle.ts` is the same, to be read.
 * @param within  Minutes before it are forgotten, those after it not over yet.
 */
export function rollMinutes(
  readings: SeriesReadings,
  rules: SensorRules,
  influence: Influence,
  within: Stretch,
  series: number,
  rows: RollupRows,
): void {
  let from = Infinity;
  let to = -Infinity;
  for (const stretch of influence) {
    if (stretch === undefined) continue;
    from = Math.min(from, stretch.from);
    to = Math.max(to, stretch.to);
  }
  from = Math.max(from, within.from);
  to = Math.min(to, within.to);
  for (let at = from; at < to; at += most * minute_ms) {
    const part = { from: at, to: Math.min(to, at + most * minute_ms) };
    if (isKnown(readings, rules, part)) rollPart(readings, rules, influence, part, series, rows);
  }
}

/** May there be a row at all? Between two readings a year apart there is none. */
function isKnown({ time }: SeriesReadings, rules: SensorRules, { from, to }: Stretch): boolean {
  const next = placeOf(time, from);
  const after = time[next] ?? Infinity;
  const before = time[next - 1] ?? -Infinity;
  return after < to || from - before < longestHeld(rules) || after - before <= longestSpread(rules);
}

function rollPart(
  readings: SeriesReadings,
  rules: SensorRules,
  influence: Influence,
  part: Stretch,
  series: number,
  rows: RollupRows,
): void {
  const count = (part.to - part.from) / minute_ms;
  const row = rows.size;
  rows.reserve(count);
  for (const column of rows.values) column.fill(NaN, row, row + count);
  for (const [at, field] of rows.plan.fields.entries()) {
    const stretch = influence[at];
    if (stretch === undefined) continue;
    const from = Math.max(stretch.from, part.from);
    const to = Math.min(stretch.to, part.to);
    if (from >= to) continue;
    const span: Span = {
      from,
      to,
      row: row + (from - part.from) / minute_ms,
      count: (to - from) / minute_ms,
      begin: placeOf(readings.time, from),
      end: placeOf(readings.time, to),
    };
    const values = readings.values[at]!;
    const columns = rows.values.slice(field.column);
    if (field.kind === "delta") rollDelta(readings.time, values, span, columns);
    else if (field.kind === "counter") rollCounter(readings.time, values, field, rules, span, columns);
    else rollGauge(readings, values, field, rules, span, columns);
  }
  keepPresent(rows, part.from, count, series);
}

/** Minutes from `from` on stand in the rows from `row` on; the readings within them are those from `begin` to `end`. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly row: number;
  readonly count: number;
  readonly begin: number;
  readonly end: number;
}

type Columns = readonly Float64Array[];

function rollGauge(
  { time, values: all }: SeriesReadings,
  values: Float64Array,
  field: PlannedField,
  rules: SensorRules,
  span: Span,
  columns: Columns,
): void {
  const isState = field.kind === "state";
  const [mean, ...others] = columns as [Float64Array, ...Float64Array[]];
  const [last, count, covered] = (isState ? others : others.slice(3)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  coverTime(time, values, rules, span, mean, covered);
  if (isState) {
    countReadings(time, values, span, last, count);
  } else {
    const [least, most, sum] = others as [Float64Array, Float64Array, Float64Array];
    sumReadings(time, values, span, { least, most, sum, last, count });
  }
  if (field.kind === "weighted") {
    const weight = columns[7]!;
    weigh(time, values, all[field.weight]!, span, mean, weight);
    for (let row = span.row; row < span.row + span.count; row += 1) {
      const weighed = weight[row]!;
      // With nothing to weigh by, the readings count alike.
      if (weighed > 0) mean[row] = mean[row]! / weighed;
      else mean[row] = count[row]! > 0 ? columns[3]![row]! / count[row]! : NaN;
    }
  }
  // Minutes without a reading in which a value stood.
  for (let row = span.row; row < span.row + span.count; row += 1)
    if (Number.isNaN(count[row]) && !Number.isNaN(covered[row])) count[row] = 0;
}

/** `mean` by time and `covered` in seconds, from values that stand until the next one and no longer than they may. */
function coverTime(
  time: Float64Array,
  values: Float64Array,
  rules: SensorRules,
  { from, to, row, begin, end }: Span,
  mean: Float64Array,
  covered: Float64Array,
): void {
  let at = begin - 1;
  while (at >= 0 && Number.isNaN(values[at])) at -= 1;
  if (at < 0) at = nextPresent(values, begin - 1, end);
  const isSteady = rules.period_s.length === 1;
  let held = heldFor(rules, from);
  let minute = row;
  let minuteEnd = from + minute_ms;
  const { length } = time;
  while (at >= 0 && at < end) {
    const value = values[at]!;
    const begun = time[at]!;
    if (!isSteady) held = heldFor(rules, begun);
    let next = at + 1;
    while (next < length && Number.isNaN(values[next])) next += 1;
    let stops = begun + held;
    if (next < length && time[next]! < stops) stops = time[next]!;
    if (stops > to) stops = to;
    let starts = begun < from ? from : begun;
    while (starts < stops) {
      if (starts >= minuteEnd) {
        const skipped = Math.floor((starts - minuteEnd) / minute_ms) + 1;
        minute += skipped;
        minuteEnd += skipped * minute_ms;
      }
      const part = (stops < minuteEnd ? stops : minuteEnd) - starts;
      if (Number.isNaN(covered[minute])) {
        mean[minute] = value * part;
        covered[minute] = part;
      } else {
        mean[minute]! += value * part;
        covered[minute]! += part;
      }
      starts += part;
    }
    at = next;
  }
  for (let at = row; at <= minute && at < mean.length; at += 1) {
    const ms = covered[at]!;
    if (Number.isNaN(ms)) continue;
    mean[at] = mean[at]! / ms;
    covered[at] = ms / 1000;
  }
}

function sumReadings(
  time: Float64Array,
  values: Float64Array,
  { from, row, begin, end }: Span,
  {
    least,
    most,
    sum,
    last,
    count,
  }: Readonly<Record<"least" | "most" | "sum" | "last" | "count", Float64Array>>,
): void {
  let minute = row;
  let minuteEnd = from + minute_ms;
  for (let at = begin; at < end; at += 1) {
    const value = values[at]!;
    if (Number.isNaN(value)) continue;
    const instant = time[at]!;
    if (instant >= minuteEnd) {
      const skipped = Math.floor((instant - minuteEnd) / minute_ms) + 1;
      minute += skipped;
      minuteEnd += skipped * minute_ms;
    }
    if (Number.isNaN(count[minute])) {
      least[minute] = most[minute] = sum[minute] = value;
      count[minute] = 1;
    } else {
      if (value < least[minute]!) least[minute] = value;
      if (value > most[minute]!) most[minute] = value;
      sum[minute]! += value;
      count[minute]! += 1;
    }
    last[minute] = value;
  }
}

function countReadings(
  time: Float64Array,
  values: Float64Array,
  { from, row, begin, end }: Span,
  last: Float64Array,
  count: Float64Array,
): void {
  for (let at = begin; at < end; at += 1) {
    const value = values[at]!;
    if (Number.isNaN(value)) continue;
    const minute = row + Math.floor((time[at]! - from) / minute_ms);
    count[minute] = Number.isNaN(count[minute]) ? 1 : count[minute]! + 1;
    last[minute] = value;
  }
}

/** `mean`: the sum of the values by their weights; `weight`: the sum of these. */
function weigh(
  time: Float64Array,
  values: Float64Array,
  weights: Float64Array,
  { from, row, count, begin, end }: Span,
  mean: Float64Array,
  weight: Float64Array,
): void {
  mean.fill(NaN, row, row + count);
  for (let at = begin; at < end; at += 1) {
    const value = values[at]!;
    if (Number.isNaN(value)) continue;
    const weighed = weights[at]! > 0 ? weights[at]! : 0;
    const minute = row + Math.floor((time[at]! - from) / minute_ms);
    if (Number.isNaN(weight[minute])) {
      mean[minute] = value * weighed;
      weight[minute] = weighed;
    } else {
      mean[minute]! += value * weighed;
      weight[minute]! += weighed;
    }
  }
}

function rollDelta(time: Float64Array, values: Float64Array, span: Span, columns: Columns): void {
  const [sum, mean, least, most, last, count] = columns as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  sumReadings(time, values, span, { least, most, sum, last, count });
  for (let row = span.row; row < span.row + span.count; row += 1) mean[row] = sum[row]! / count[row]!;
}

function rollCounter(
  time: Float64Array,
  values: Float64Array,
  field: PlannedField,
  rules: SensorRules,
  span: Span,
  columns: Columns,
): void {
  const [increase, last, count] = columns as [Float64Array, Float64Array, Float64Array];
  countReadings(time, values, span, last, count);
  const { from, to, row } = span;
  // Where the counter is read, or stands between two readings, its increase is known to be something: 0 if no more.
  let before = -1;
  for (let at = 0; at < time.length; at += 1) {
    if (Number.isNaN(values[at])) continue;
    const instant = time[at]!;
    if (instant >= from && instant < to) increase[row + Math.floor((instant - from) / minute_ms)] = 0;
    if (before >= 0 && instant - time[before]! <= spreadOver(rules, instant))
      share(increase, span, time[before]!, instant, 0);
    before = at;
  }
  followCounter(time, values, time.length, counterRules(field, rules), steps);
  for (let at = 0; at < steps.size; at += 1) {
    const starts = time[steps.from[at]!]!;
    const stops = time[steps.to[at]!]!;
    if (stops < from || starts >= to) continue;
    const risen = steps.increase[at]!;
    if (stops - starts <= spreadOver(rules, stops)) share(increase, span, starts, stops, risen);
    else if (stops < to) increase[row + Math.floor((stops - from) / minute_ms)]! += risen;
  }
}

/** Adds each minute's part, by time, of an increase in [starts, stops). */
function share(
  increase: Float64Array,
  { from, to, row }: Span,
  starts: number,
  stops: number,
  risen: number,
): void {
  let at = Math.max(starts, from);
  const end = Math.min(stops, to);
  while (at < end) {
    const minute = Math.floor((at - from) / minute_ms);
    const minuteEnd = Math.min(end, from + (minute + 1) * minute_ms);
    const part = (risen * (minuteEnd - at)) / (stops - starts);
    const place = row + minute;
    increase[place] = Number.isNaN(increase[place]) ? part : increase[place]! + part;
    at = minuteEnd;
  }
}

/** Of the last `count` rows keeps those in which anything is known. */
function keepPresent(rows: RollupRows, from: number, count: number, series: number): void {
  const row = rows.size;
  let kept = row;
  for (let at = row; at < row + count; at += 1) {
    if (rows.values.every((column) => Number.isNaN(column[at]))) continue;
    rows.series[kept] = series;
    rows.time[kept] = from + (at - row) * minute_ms;
    if (kept !== at) for (const column of rows.values) column[kept] = column[at]!;
    kept += 1;
  }
  rows.size = kept;
}

function nextPresent(values: Float64Array, at: number, end: number): number {
  let place = at + 1;
  while (place < end && Number.isNaN(values[place])) place += 1;
  return place;
}
