import type { BinaryOp, Expr } from "./ast.ts";
import { looksLikeTime, parseTime } from "./times.ts";

const ofIntegers: Partial<Record<BinaryOp, (a: bigint, b: bigint) => bigint | number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => (b === 0n ? 0 : Number(a) / Number(b)),
  "%": (a, b) => (b === 0n ? 0n : a % b),
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
};
const ofNumbers: Partial<Record<BinaryOp, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => (b === 0 ? 0 : a / b),
  "%": (a, b) => a % b,
};
const comparisons: Partial<Record<BinaryOp, (a: bigint | number, b: bigint | number) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

/** A tree in which a time may stand. */
export type Folded = Expr | { readonly kind: "time"; readonly ns: bigint; readonly at: number };

export interface FoldContext {
  /** Nanoseconds since 1970. */
  readonly now: bigint;
  /** Of times without one. */
  readonly zone?: string | undefined;
}

/** Works out what is known before anything is read: `5 + 3`, `now() - 1h`, `1000 > 500`. The rest stays as it is. */
export function fold(expr: Expr, context: FoldContext): Folded {
  if (expr.kind === "binary")
    return foldBinary(expr.op, fold(expr.left, context), fold(expr.right, context), expr.at, context);
  if (expr.kind === "paren") {
    const inner = fold(expr.expr, context);
    return inner.kind === "binary" ? { kind: "paren", expr: inner, at: expr.at } : inner;
  }
  if (expr.kind !== "call") return expr;
  if (expr.name === "now" && expr.args.length === 0) return { kind: "time", ns: context.now, at: expr.at };
  return { ...expr, args: expr.args.map((argument) => withoutTimes(fold(argument, context))) };
}

/** A time means nothing beside fields: a comparison with one is never true. */
export function withoutTimes(expr: Folded): Expr {
  return expr.kind === "time" ? { kind: "boolean", value: false, at: expr.at } : expr;
}

/** The same for two sides that are worked out already. */
export function foldBinary(
  op: BinaryOp,
  left: Folded,
  right: Folded,
  at: number,
  context: FoldContext,
): Folded {
  if (op === "AND" || op === "OR") {
    // Of AND `false` decides, of OR `true`; the other says nothing.
    const decisive = op === "OR";
    for (const [side, other] of [
      [left, right],
      [right, left],
    ] as const) {
      if (side.kind !== "boolean") continue;
      return side.value === decisive ? { ...side, at } : other;
    }
  }
  const folded = foldLiterals(op, left, right, at, context);
  if (folded !== undefined) return folded;
  if (left.kind === "time" || right.kind === "time") return { kind: "boolean", value: false, at };
  return { kind: "binary", op, left, right, at };
}

function foldLiterals(
  op: BinaryOp,
  left: Folded,
  right: Folded,
  at: number,
  context: FoldContext,
): Folded | undefined {
  const boolean = (value: boolean | undefined): Folded | undefined =>
    value === undefined ? undefined : { kind: "boolean", value, at };

  if (left.kind === "boolean" && right.kind === "boolean") {
    if (op === "=") return boolean(left.value === right.value);
    if (op === "!=" || op === "^") return boolean(left.value !== right.value);
    if (op === "&") return boolean(left.value && right.value);
    return op === "|" ? boolean(left.value || right.value) : undefined;
  }
  if (left.kind === "integer" && right.kind === "integer") {
    const result = ofIntegers[op]?.(left.value, right.value);
    if (typeof result === "bigint") return { kind: "integer", value: BigInt.asIntN(64, result), at };
    if (typeof result === "number") return { kind: "number", value: result, at };
    return boolean(comparisons[op]?.(left.value, right.value));
  }
  if (isNumeric(left) && isNumeric(right)) {
    const [a, b] = [Number(left.value), Number(right.value)];
    const result = ofNumbers[op]?.(a, b);
    return result === undefined ? boolean(comparisons[op]?.(a, b)) : { kind: "number", value: result, at };
  }
  if (left.kind === "duration" && isNumeric(right) && (op === "*" || op === "/")) {
    const factor = BigInt(Math.trunc(Number(right.value)));
    if (op === "*") return { kind: "duration", ns: BigInt.asIntN(64, left.ns * factor), at };
    return { kind: "duration", ns: factor === 0n ? 0n : left.ns / factor, at };
  }
  if (left.kind === "duration" && right.kind === "duration") {
    if (op === "+") return { kind: "duration", ns: BigInt.asIntN(64, left.ns + right.ns), at };
    if (op === "-") return { kind: "duration", ns: BigInt.asIntN(64, left.ns - right.ns), at };
    return boolean(comparisons[op]?.(left.ns, right.ns));
  }
  if (left.kind === "string" && right.kind === "string") {
    if (op === "+") return { kind: "string", value: left.value + right.value, at };
    const [a, b] = [timeOf(left, context), timeOf(right, context)];
    if (a !== undefined && b !== undefined) return foldTimes(op, a, b, at);
    if (op === "=") return boolean(left.value === right.value);
    return op === "!=" ? boolean(left.value !== right.value) : undefined;
  }
  return foldWithTime(op, left, right, at, context);
}

/** Times with durations, whole numbers (nanoseconds) and one another. */
function foldWithTime(
  op: BinaryOp,
  left: Folded,
  right: Folded,
  at: number,
  context: FoldContext,
): Folded | undefined {
  const [a, b] = [timeOf(left, context), timeOf(right, context)];
  if (a !== undefined && b !== undefined) return foldTimes(op, a, b, at);
  const [x, y] = [lengthOf(left), lengthOf(right)];
  if (a !== undefined && y !== undefined && (op === "+" || op === "-"))
    return { kind: "time", ns: op === "+" ? a + y : a - y, at };
  if (x !== undefined && b !== undefined && op === "+") return { kind: "time", ns: x + b, at };
  // A whole number before a duration is itself a time.
  if (left.kind === "integer" && right.kind === "duration" && (op === "+" || op === "-"))
    return { kind: "time", ns: op === "+" ? left.value + right.ns : left.value - right.ns, at };
  return undefined;
}

function foldTimes(op: BinaryOp, a: bigint, b: bigint, at: number): Folded | undefined {
  if (op === "-") return { kind: "duration", ns: a - b, at };
  const value = comparisons[op]?.(a, b);
  return value === undefined ? undefined : { kind: "boolean", value, at };
}

function timeOf(expr: Folded, { zone }: FoldContext): bigint | undefined {
  if (expr.kind === "time") return expr.ns;
  return expr.kind === "string" && looksLikeTime(expr.value) ? parseTime(expr.value, zone) : undefined;
}

function lengthOf(expr: Folded): bigint | undefined {
  return expr.kind === "duration" ? expr.ns : expr.kind === "integer" ? expr.value : undefined;
}

function isNumeric(expr: Folded): expr is Extract<Expr, { kind: "integer" | "number" }> {
  return expr.kind === "integer" || expr.kind === "number";
}
