import type { Expr } from "./ast.ts";
import { maxTime_ns, millisecondsOf, minTime_ns, splitCondition, type When } from "./time-conditions.ts";

/** [from, to), ms since 1970. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
  /** The time of an aggregate over all of it; undefined where the range has no beginning. */
  readonly start: number | undefined;
}

export const allTimes: TimeRange = { ...millisecondsOf({}), start: undefined };
export const minTime = millisecondsOf({ min_ns: minTime_ns }).from;
export const maxTime = millisecondsOf({ max_ns: maxTime_ns }).to - 1;

export function intersect(a: TimeRange, b: TimeRange): TimeRange {
  const later = b.from > a.from ? b : a;
  return { from: later.from, to: Math.min(a.to, b.to), start: later.start };
}

export function splitTime(
  condition: Expr | undefined,
  when: When,
): { readonly condition: Expr | undefined; readonly range: TimeRange } {
  const { range, rest } = splitCondition(condition, when);
  const start = range.min_ns === undefined ? undefined : floorMilliseconds(range.min_ns);
  const { from, to } = millisecondsOf(range);
  // Not -0.
  return { condition: rest, range: { from: from + 0, to, start } };
}

/** `time > x` begins a nanosecond after x, which is x in milliseconds. */
function floorMilliseconds(ns: bigint): number {
  return Number((ns - (((ns % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n);
}
