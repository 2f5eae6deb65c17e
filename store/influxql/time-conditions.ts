import type { BinaryOp, Expr } from "./ast.ts";
import { InfluxqlError } from "./errors.ts";
import { fold, foldBinary, type FoldContext, withoutTimes } from "./fold.ts";
import { print } from "./print.ts";
import { looksLikeTime, parseTime, printTime } from "./times.ts";

/** When, in nanoseconds since 1970, both inclusive; undefined: no bound. */
export interface TimeRange {
  readonly min_ns?: bigint;
  readonly max_ns?: bigint;
}

export interface SplitCondition {
  readonly range: TimeRange;
  /** What is asked beside time; undefined: nothing. A `false` that is known beforehand stands here as a boolean. */
  readonly rest: Expr | undefined;
}

export interface When {
  /** ms since 1970. */
  readonly now: number;
  /** The statement's `tz()`. */
  readonly zone?: string | undefined;
}

/** The times that InfluxDB can store. */
export const minTime_ns = -(2n ** 63n) + 2n;
export const maxTime_ns = 2n ** 63n - 2n;

/**
 * Splits a WHERE into its times and the rest. Times hold all together, wherever they stand: with OR too, as in InfluxDB.
 * @throws InfluxqlError
 */
export function splitCondition(condition: Expr | undefined, when: When): SplitCondition {
  if (condition === undefined) return { range: {}, rest: undefined };
  const context: FoldContext = { now: BigInt(when.now) * 1_000_000n, zone: when.zone };
  const { range, rest } = split(condition, context);
  const bare = rest?.kind === "paren" ? rest.expr : rest;
  return { range, rest: bare?.kind === "boolean" && bare.value ? undefined : bare };
}

/** [from, to) in whole ms for rows whose times are whole ms. Without a bound: all that can be stored. */
export function millisecondsOf({ min_ns = minTime_ns, max_ns = maxTime_ns }: TimeRange): {
  from: number;
  to: number;
} {
  return { from: -floorToMs(-min_ns), to: floorToMs(max_ns) + 1 };
}

function floorToMs(ns: bigint): number {
  return Number((ns - (((ns % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n);
}

export function intersect(a: TimeRange, b: TimeRange): TimeRange {
  const min_ns =
    a.min_ns === undefined || (b.min_ns !== undefined && b.min_ns > a.min_ns) ? b.min_ns : a.min_ns;
  const max_ns =
    a.max_ns === undefined || (b.max_ns !== undefined && b.max_ns < a.max_ns) ? b.max_ns : a.max_ns;
  return { ...(min_ns !== undefined && { min_ns }), ...(max_ns !== undefined && { max_ns }) };
}

function split(expr: Expr, context: FoldContext): SplitCondition {
  if (expr.kind === "boolean") return { range: {}, rest: expr };
  if (expr.kind === "paren") {
    const { range, rest } = split(expr.expr, context);
    return { range, rest: rest?.kind === "binary" ? { ...expr, expr: rest } : rest };
  }
  if (expr.kind !== "binary")
    throw new InfluxqlError("semantic", `invalid condition expression: ${print(expr)}`);
  if (expr.op === "AND" || expr.op === "OR") {
    const left = split(expr.left, context);
    const right = split(expr.right, context);
    const range = intersect(left.range, right.range);
    if (left.rest === undefined || right.rest === undefined) return { range, rest: left.rest ?? right.rest };
    return { range, rest: withoutTimes(foldBinary(expr.op, left.rest, right.rest, expr.at, context)) };
  }
  if (isTime(expr.left)) return { range: rangeOf(expr.op, expr.right, context), rest: undefined };
  if (isTime(expr.right)) return { range: rangeOf(mirrored(expr.op), expr.left, context), rest: undefined };
  return { range: {}, rest: withoutTimes(fold(expr, context)) };
}

function isTime(expr: Expr): boolean {
  return expr.kind === "ref" && expr.name.toLowerCase() === "time";
}

/** What a comparison is when its sides change places. */
function mirrored(op: BinaryOp): BinaryOp {
  const mirror: Partial<Record<BinaryOp, BinaryOp>> = { ">": "<", "<": ">", ">=": "<=", "<=": ">=" };
  return mirror[op] ?? op;
}

function rangeOf(op: BinaryOp, expr: Expr, context: FoldContext): TimeRange {
  const ns = instantOf(expr, context);
  if (op === ">") return { min_ns: ns + 1n };
  if (op === ">=") return { min_ns: ns };
  if (op === "<") return { max_ns: ns - 1n };
  if (op === "<=") return { max_ns: ns };
  if (op === "=") return { min_ns: ns, max_ns: ns };
  throw new InfluxqlError("semantic", `invalid time comparison operator: ${op}`);
}

function instantOf(expr: Expr, context: FoldContext): bigint {
  const folded = fold(expr, context);
  if (folded.kind === "time") return bounded(folded.ns);
  if (folded.kind === "duration") return folded.ns;
  if (folded.kind === "integer") return folded.value;
  if (folded.kind === "number") return BigInt.asIntN(64, BigInt(Math.trunc(folded.value)));
  if (folded.kind !== "string" || !looksLikeTime(folded.value))
    throw new InfluxqlError("semantic", `invalid operation: time and ${print(expr)} are not compatible`);
  const ns = parseTime(folded.value, context.zone);
  if (ns === undefined) throw new InfluxqlError("semantic", "invalid timestamp string");
  return bounded(ns);
}

function bounded(ns: bigint): bigint {
  if (ns > maxTime_ns) throw new InfluxqlError("semantic", `time ${printTime(ns)} overflows time literal`);
  if (ns <= minTime_ns) throw new InfluxqlError("semantic", `time ${printTime(ns)} underflows time literal`);
  return ns;
}
