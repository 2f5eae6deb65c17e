import type { Expr } from "./ast.ts";
import { mathFunctions } from "./functions/math.ts";
import { matcherOf } from "./regex/index.ts";
import { constant, isNull, type NumberVector, nulls, type StringVector, type Vector } from "./vectors.ts";

export interface Rows {
  readonly length: number;
  /** What a reference or a call stands for; undefined: nothing. */
  readonly column: (expr: Expr) => Vector | undefined;
}

/** An expression's value in each row, by InfluxDB's rules: what has no value or does not fit is null, and what is divided by zero is zero. */
export function evaluate(expr: Expr, rows: Rows): Vector {
  const column = rows.column(expr);
  if (column !== undefined) return column;
  const { length } = rows;
  switch (expr.kind) {
    case "paren":
      return evaluate(expr.expr, rows);
    case "integer":
      return constant(Number(expr.value), "integer", length);
    case "number":
      return constant(expr.value, "float", length);
    case "boolean":
      return constant(expr.value, "boolean", length);
    case "string":
      return constant(expr.value, "string", length);
    case "call":
      return math(
        expr.name,
        expr.args.map((argument) => evaluate(argument, rows)),
        length,
      );
    case "binary":
      return binary(expr, rows);
    case "ref":
    case "wildcard":
    case "regex":
    case "distinct":
    case "duration":
      return nulls("float", length);
    default:
      return expr satisfies never;
  }
}

/** Rows for which it is true. */
export function rowsWhere(condition: Expr, rows: Rows): Int32Array {
  const { type, values } = evaluate(condition, rows);
  const at: number[] = [];
  if (type === "boolean") for (let i = 0; i < rows.length; i++) if (values[i] === 1) at.push(i);
  return Int32Array.from(at);
}

function binary(expr: Expr & { kind: "binary" }, rows: Rows): Vector {
  const { op } = expr;
  const left = evaluate(expr.left, rows);
  if (op === "=~" || op === "!~") return matches(left, expr.right, op === "=~", rows.length);
  const right = evaluate(expr.right, rows);
  if (left.type === "string" || right.type === "string") return ofStrings(op, left, right);
  if (left.type === "boolean" || right.type === "boolean") return ofBooleans(op, left, right);
  return ofNumbers(op, left, right);
}

function matches(left: Vector, right: Expr, isWanted: boolean, length: number): Vector {
  if (left.type !== "string" || right.kind !== "regex") return nulls("boolean", length);
  const regex = matcherOf(right);
  const results = new Map<string | null, number>([[null, Number.NaN]]);
  return booleans(length, (i) => {
    const text = left.values[i] ?? null;
    let result = results.get(text);
    if (result === undefined) {
      result = Number(regex.test(text ?? "") === isWanted);
      results.set(text, result);
    }
    return result;
  });
}

function booleans(length: number, of: (i: number) => number): NumberVector {
  const values = new Float64Array(length);
  for (let i = 0; i < length; i++) values[i] = of(i);
  return { type: "boolean", values };
}

const comparisons = new Set(["=", "!=", "<", "<=", ">", ">="]);

function ofStrings(op: string, left: Vector, right: Vector): Vector {
  const { length } = left.values;
  if (!comparisons.has(op)) return nulls("float", length);
  const bothStrings = left.type === "string" && right.type === "string";
  if (!bothStrings || (op !== "=" && op !== "!=")) return booleans(length, () => 0);
  return booleans(length, (i) => compareText(op, left, right, i));
}

function compareText(op: string, left: StringVector, right: StringVector, i: number): number {
  const a = left.values[i] ?? null;
  const b = right.values[i] ?? null;
  if (a === null || b === null) return 0;
  return Number((a === b) === (op === "="));
}

/** Beside a boolean null is false; a number is nothing that could be compared. */
function ofBooleans(op: string, left: NumberVector, right: NumberVector): Vector {
  const { length } = left.values;
  const isLogic = op === "AND" || op === "OR" || op === "&" || op === "|" || op === "^";
  if (!isLogic && op !== "=" && op !== "!=")
    return comparisons.has(op) ? booleans(length, () => 0) : nulls("float", length);
  return booleans(length, (i) => {
    const isLeftNull = isNull(left, i);
    const isRightNull = isNull(right, i);
    if (isLeftNull && isRightNull) return isLogic ? Number.NaN : 0;
    if ((!isLeftNull && left.type !== "boolean") || (!isRightNull && right.type !== "boolean"))
      return isLogic ? Number.NaN : 0;
    const a = !isLeftNull && left.values[i] === 1;
    const b = !isRightNull && right.values[i] === 1;
    if (op === "AND" || op === "&") return Number(a && b);
    if (op === "OR" || op === "|") return Number(a || b);
    return Number((a === b) === (op === "="));
  });
}

function ofNumbers(op: string, left: NumberVector, right: NumberVector): Vector {
  const { length } = left.values;
  if (comparisons.has(op)) {
    const compare = comparison(op);
    return booleans(length, (i) =>
      Number(compare(left.values[i] ?? Number.NaN, right.values[i] ?? Number.NaN)),
    );
  }
  const areIntegers = left.type === "integer" && right.type === "integer";
  const of = areIntegers ? integerArithmetic(op) : floatArithmetic(op);
  if (of === undefined) return nulls("float", length);
  return calculated(areIntegers && op !== "/" ? "integer" : "float", [left, right], of);
}

function comparison(op: string): (a: number, b: number) => boolean {
  switch (op) {
    case "=":
      return (a, b) => a === b;
    case "!=":
      // Null is not comparable at all.
      return (a, b) => a < b || a > b;
    case "<":
      return (a, b) => a < b;
    case "<=":
      return (a, b) => a <= b;
    case ">":
      return (a, b) => a > b;
    default:
      return (a, b) => a >= b;
  }
}

function floatArithmetic(op: string): ((a: number, b: number) => number) | undefined {
  switch (op) {
    case "+":
      return (a, b) => a + b;
    case "-":
      return (a, b) => a - b;
    case "*":
      return (a, b) => a * b;
    case "/":
      return (a, b) => (b === 0 ? 0 : a / b);
    case "%":
      return (a, b) => a % b;
    default:
      return undefined;
  }
}

function integerArithmetic(op: string): ((a: number, b: number) => number) | undefined {
  switch (op) {
    case "%":
      return (a, b) => (b === 0 ? 0 : a % b);
    case "&":
      return (a, b) => Number(BigInt(a) & BigInt(b));
    case "|":
      return (a, b) => Number(BigInt(a) | BigInt(b));
    case "^":
      return (a, b) => Number(BigInt(a) ^ BigInt(b));
    default:
      return floatArithmetic(op);
  }
}

/** Null where one of the operands is; what is no number though all of them are stays apart from null. */
function calculated(
  type: "float" | "integer",
  operands: readonly NumberVector[],
  of: (a: number, b: number) => number,
): NumberVector {
  const [left, right] = operands;
  const length = left?.values.length ?? 0;
  const values = new Float64Array(length);
  let nan: Uint8Array | undefined;
  for (let i = 0; i < length; i++) {
    const a = left?.values[i] ?? Number.NaN;
    const b = right === undefined ? 0 : (right.values[i] ?? Number.NaN);
    const isComplete = a === a && b === b;
    const value = isComplete ? of(a, b) : Number.NaN;
    values[i] = value;
    if (value === value) continue;
    if (isComplete || operands.every((operand) => !isNull(operand, i))) {
      nan ??= new Uint8Array(length);
      nan[i] = 1;
    }
  }
  return { type, values, nan };
}

function math(name: string, args: readonly Vector[], length: number): Vector {
  const found = mathFunctions.get(name);
  const numbers = args.filter(
    (argument): argument is NumberVector => argument.type === "float" || argument.type === "integer",
  );
  const [first] = numbers;
  if (found === undefined || first === undefined || numbers.length < args.length)
    return nulls("float", length);
  const type = found.keepsType === true && first.type === "integer" ? "integer" : "float";
  return calculated(type, numbers, found.of);
}
