import type { Expr } from "./ast.ts";
import type { Window } from "./engine.ts";
import { childrenOf } from "./expressions.ts";
import { sequenceFunctions } from "./functions/sequence-functions.ts";
import { compareNames } from "./name-order.ts";
import type { Interval, Ready } from "./ready.ts";
import { intersect, maxTime, minTime, type TimeRange } from "./time-range.ts";

/** Of a step: where it is in time and what its series are. */
export interface Scope {
  /** In byte order. */
  readonly tagKeys: readonly string[];
  /** Those of the outermost statement. */
  readonly outerKeys: readonly string[];
  readonly range: TimeRange;
  readonly window: Window | undefined;
  readonly isAscending: boolean;
  readonly slimit: number;
  readonly soffset: number;
}

export function outermostScope(ready: Ready, now: number): Scope {
  const tagKeys = keySet(ready.groupBy);
  return {
    tagKeys,
    outerKeys: tagKeys,
    range: untilNow(ready.range, ready.interval, now),
    window: windowOf(ready.interval, ready.zone),
    isAscending: ready.order === "asc",
    slimit: ready.slimit,
    soffset: ready.soffset,
  };
}

/** A sub-query's: it also groups by what is grouped by outside, stays within the range there, and has the windows there if it has none. */
export function innerScope(ready: Ready, outer: Scope, now: number): Scope {
  return {
    tagKeys: keySet([...ready.groupBy, ...outer.tagKeys]),
    outerKeys: outer.outerKeys,
    range: untilNow(intersect(ready.range, outer.range), ready.interval, now),
    window: windowOf(ready.interval ?? intervalOf(outer.window), ready.zone),
    isAscending: outer.isAscending,
    slimit: ready.slimit + outer.slimit,
    soffset: ready.soffset + outer.soffset,
  };
}

export function keySet(names: readonly string[]): string[] {
  return [...new Set(names)].sort(compareNames);
}

function windowOf(interval: Interval | undefined, zone: string | undefined): Window | undefined {
  if (interval === undefined) return undefined;
  return zone === undefined ? interval : { ...interval, zone };
}

function intervalOf(window: Window | undefined): Interval | undefined {
  return window && { every_ms: window.every_ms, offset_ms: window.offset_ms };
}

/** Windows without an end go on until now. */
function untilNow(range: TimeRange, interval: Interval | undefined, now: number): TimeRange {
  return interval !== undefined && range.to > maxTime ? { ...range, to: now + 1 } : range;
}

/** Functions from point to point begin with a point before the range, so that its first window has an answer. */
export function lookingBack(scope: Scope): Scope {
  const { range, window, isAscending } = scope;
  if (window === undefined) return scope;
  const length = window.every_ms;
  if (!isAscending) return { ...scope, range: { ...range, to: range.to + length } };
  if (range.from <= minTime) return scope;
  return { ...scope, range: { ...range, from: range.from - length } };
}

/** InfluxDB reads as many windows before the range as the outermost statement's functions need, and no more for those within. */
export function reachOf({ fields, interval, order }: Ready, range: TimeRange): TimeRange {
  if (interval === undefined) return range;
  const length = Math.max(0, ...fields.map(({ expr }) => windowsBack(expr))) * interval.every_ms;
  if (order === "desc") return { ...range, to: range.to + length };
  return range.from <= minTime ? range : { ...range, from: range.from - length };
}

function windowsBack(expr: Expr): number {
  const inner = Math.max(0, ...childrenOf(expr).map(windowsBack));
  if (expr.kind !== "call" || !sequenceFunctions.has(expr.name)) return inner;
  const [, count] = expr.args;
  return Math.max(
    inner,
    expr.name === "moving_average" && count?.kind === "integer" ? Number(count.value) : 1,
  );
}
