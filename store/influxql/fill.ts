import type { Fill } from "./ast.ts";
import { minTime } from "./time-range.ts";
import type { Vector } from "./vectors.ts";
import type { Windows } from "./windows.ts";
import type { Work } from "./work.ts";

export interface Filling {
  readonly fill: Fill;
  readonly windows: Windows;
  readonly isAscending: boolean;
  /** [from, to) of the range. */
  readonly from: number;
  readonly to: number;
  readonly isCount: boolean;
}

/** What a window without points answers; `count` has 0 where the others have null. */
type Filler =
  | { readonly kind: "null" | "previous" | "linear" }
  | { readonly kind: "number"; readonly value: number };

function fillerOf({ fill, isCount }: Filling): Filler {
  if (fill.kind === "number") return fill;
  if (fill.kind === "previous" || fill.kind === "linear") return { kind: fill.kind };
  return isCount ? { kind: "number", value: 0 } : { kind: "null" };
}

/** The beginnings of all windows of a range, in the order of the statement, as influxd's FillIterator steps through them. */
function* windowStarts({ windows, isAscending, from, to }: Filling, first: number): Generator<number> {
  const lowest = from <= minTime ? undefined : windows.startOf(from);
  const highest = windows.startOf(to - 1);
  let time = isAscending ? (lowest ?? first) : highest;
  let clock = windows.clockOffset(time);
  while (isAscending ? time <= highest : time >= (lowest ?? first)) {
    yield time;
    time += isAscending ? windows.every : -windows.every;
    // Past a change of the clocks windows begin earlier or later by it.
    const now = windows.clockOffset(time - 1);
    if (now !== clock) {
      const change = clock - now;
      if (Math.abs(change) < windows.every) time += change;
      clock = now;
    }
  }
}

/** How many windows a range has, near enough for a bound. */
export function countWindows({ windows, from, to }: Filling, first: number): number {
  return Math.max(0, Math.ceil((to - (from <= minTime ? first : from)) / windows.every) + 1);
}

const windowsAtOnce = 10_000;

/** Points of a series' windows with those between them that are missing. */
export async function filled(
  points: { readonly time: Float64Array; readonly value: Vector },
  filling: Filling,
  work: Work,
): Promise<{ time: Float64Array; value: Vector; at: Int32Array }> {
  const { time, value } = points;
  const earliest = filling.isAscending ? (time[0] ?? 0) : (time.at(-1) ?? 0);
  const count = countWindows(filling, earliest);
  work.windows(count);
  work.hold(count * 2);
  const times: number[] = [];
  const at: number[] = [];
  let next = 0;
  for (const start of windowStarts(filling, earliest)) {
    const point = time[next];
    if (point !== undefined && (filling.isAscending ? point <= start : point >= start)) {
      times.push(point);
      at.push(next++);
    } else {
      times.push(start);
      at.push(-1);
    }
    if (times.length % windowsAtOnce === 0 && work.isTurnOver(windowsAtOnce)) await work.giveWay();
  }
  for (; next < time.length; next++) {
    times.push(time[next] ?? 0);
    at.push(next);
  }
  await work.didSequence(times.length % windowsAtOnce);
  const rows = Int32Array.from(at);
  const filledTimes = Float64Array.from(times);
  return {
    time: filledTimes,
    value: filledValues(value, rows, filledTimes, time, fillerOf(filling), filling.windows.every),
    at: rows,
  };
}

function filledValues(
  value: Vector,
  at: Int32Array,
  times: Float64Array,
  pointTimes: Float64Array,
  filler: Filler,
  every: number,
): Vector {
  if (value.type === "string") {
    const missing = filler.kind === "number" ? "" : null;
    let previous: string | null = null;
    const values = Array.from(at, (row) => {
      if (row >= 0) previous = value.values[row] ?? null;
      return row >= 0 || filler.kind === "previous" ? previous : missing;
    });
    return { type: "string", values };
  }
  const { type, nan: pointNan } = value;
  const values = new Float64Array(at.length);
  const nan = pointNan === undefined ? undefined : new Uint8Array(at.length);
  let previousRow = -1;
  for (const [i, row] of at.entries()) {
    if (row >= 0) {
      values[i] = value.values[row] ?? Number.NaN;
      if (nan !== undefined) nan[i] = pointNan?.[row] ?? 0;
      previousRow = row;
      continue;
    }
    values[i] = Number.NaN;
    if (filler.kind === "number") {
      values[i] = type === "boolean" ? 0 : type === "integer" ? Math.trunc(filler.value) : filler.value;
    } else if (filler.kind === "previous" && previousRow >= 0) {
      values[i] = value.values[previousRow] ?? Number.NaN;
      if (nan !== undefined) nan[i] = pointNan?.[previousRow] ?? 0;
    } else if (filler.kind === "linear" && type !== "boolean" && previousRow >= 0) {
      // Whole windows since 1970, so that points within windows lie on their beginnings.
      const window = (time: number): number => Math.trunc(time / every);
      const before = window(pointTimes[previousRow] ?? 0);
      const after = window(pointTimes[previousRow + 1] ?? Number.NaN);
      const low = value.values[previousRow] ?? Number.NaN;
      const high = value.values[previousRow + 1] ?? Number.NaN;
      const between = ((high - low) / (after - before)) * (window(times[i] ?? 0) - before) + low;
      values[i] = type === "integer" ? Math.trunc(between) : between;
      if (nan !== undefined && previousRow + 1 < pointTimes.length) nan[i] = Number(Number.isNaN(between));
    }
  }
  return { type, values, nan };
}
