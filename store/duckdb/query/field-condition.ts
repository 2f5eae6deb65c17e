import type { BinaryOp, Expr } from "../../influxql/ast.ts";
import type { ValueType } from "../../influxql/engine.ts";
import { InfluxqlError } from "../../influxql/errors.ts";

/** Texts of a statement, which go to DuckDB as parameters. */
export class Parameters {
  readonly #texts: string[] = [];

  add(text: string): string {
    let at = this.#texts.indexOf(text);
    if (at === -1) at = this.#texts.push(text) - 1;
    return `$p${at}`;
  }

  /** Those that stand in it: DuckDB refuses any other. */
  of(sql: string): Record<string, string> {
    const named = new Set(sql.match(/\$p\d+/g));
    return Object.fromEntries(
      this.#texts.flatMap((text, at) => (named.has(`$p${at}`) ? [[`p${at}`, text]] : [])),
    );
  }
}

interface Typed {
  readonly sql: string;
  /** `nothing`: a field that is not there; `regex`: to the right of =~ alone. */
  readonly type: ValueType | "nothing" | "regex";
}

export type FieldColumn = (name: string) => { readonly sql: string; readonly type: ValueType } | undefined;

/**
 * A condition over fields as SQL, true where influxd says true: what compares a field that a row does not have, or things that cannot be compared,
 * is not met. It may be NULL where influxd says false.
 */
export function conditionSql(condition: Expr, column: FieldColumn, parameters: Parameters): string {
  const { sql, type } = translate(condition, column, parameters);
  return type === "boolean" ? sql : "FALSE";
}

function translate(expr: Expr, column: FieldColumn, parameters: Parameters): Typed {
  switch (expr.kind) {
    case "paren":
      return translate(expr.expr, column, parameters);
    case "ref":
      return column(expr.name) ?? nothing;
    case "integer":
      return { sql: `(${expr.value})::BIGINT`, type: "integer" };
    case "number":
      return { sql: expr.value.toExponential(), type: "float" };
    case "boolean":
      return { sql: expr.value ? "TRUE" : "FALSE", type: "boolean" };
    case "string":
      return { sql: `${parameters.add(expr.value)}::VARCHAR`, type: "string" };
    case "regex":
      return { sql: `${parameters.add(expr.regex)}::VARCHAR`, type: "regex" };
    case "binary":
      return binary(
        expr.op,
        translate(expr.left, column, parameters),
        translate(expr.right, column, parameters),
      );
    case "call":
      return call(
        expr.name,
        expr.args.map((argument) => translate(argument, column, parameters)),
      );
    case "distinct":
    case "duration":
    case "wildcard":
      break;
  }
  return nothing;
}

const nothing: Typed = { sql: "NULL", type: "nothing" };
const never: Typed = { sql: "FALSE", type: "boolean" };

function binary(op: BinaryOp, left: Typed, right: Typed): Typed {
  switch (op) {
    case "AND":
    case "OR":
      return { sql: `(${truth(left)} ${op} ${truth(right)})`, type: "boolean" };
    case "=~":
    case "!~": {
      if (left.type !== "string" || right.type !== "regex") return never;
      const matches = `regexp_matches(${left.sql}, ${right.sql})`;
      return { sql: op === "=~" ? matches : `(NOT ${matches})`, type: "boolean" };
    }
    case "=":
    case "!=":
      if (isNumber(left) !== isNumber(right) || (!isNumber(left) && left.type !== right.type)) return never;
      return comparison(op, left, right);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return isNumber(left) && isNumber(right) ? comparison(op, left, right) : never;
    case "&":
    case "|":
    case "^":
      return bitwise(op, left, right);
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      break;
  }
  return arithmetic(op, left, right);
}

function comparison(op: "=" | "!=" | "<" | "<=" | ">" | ">=", left: Typed, right: Typed): Typed {
  if (left.type === "nothing" || right.type === "nothing" || left.type === "regex") return never;
  return { sql: `(${left.sql} ${op} ${right.sql})`, type: "boolean" };
}

/** Whole numbers too as doubles, which are exact up to 2^53 and do not overflow. What is divided by 0 is 0. */
function arithmetic(op: "+" | "-" | "*" | "/" | "%", left: Typed, right: Typed): Typed {
  if (!isNumber(left) || !isNumber(right)) return nothing;
  const type = left.type === "integer" && right.type === "integer" ? "integer" : "float";
  const [a, b] = [`${left.sql}::DOUBLE`, `${right.sql}::DOUBLE`];
  if (op !== "/" && op !== "%") return { sql: `(${a} ${op} ${b})`, type };
  const quotient = op === "/" && type === "integer" ? `trunc(${a} / ${b})` : `(${a} ${op} ${b})`;
  if (isNonZero.test(right.sql)) return { sql: quotient, type };
  // Both sides stand in it twice: a quotient of quotients doubles with each.
  if (a.length + b.length > longestQuotient)
    throw new InfluxqlError(
      "limit",
      "WHERE divides quotients of fields by one another too often: divide in a sub-query, and compare around it",
    );
  return { sql: `(CASE WHEN ${b} = 0 THEN 0 * ${a} ELSE ${quotient} END)`, type };
}

const longestQuotient = 32 * 1024;
/** A number, as `translate` writes it. */
const isNonZero = /^(?:\(-?[1-9]\d*\)::BIGINT|-?[1-9](?:\.\d+)?e[+-]\d+)$/;

function bitwise(op: "&" | "|" | "^", left: Typed, right: Typed): Typed {
  if (left.type === "boolean" && right.type === "boolean") {
    const word = { "&": "AND", "|": "OR", "^": "!=" }[op];
    return { sql: `(${left.sql} ${word} ${right.sql})`, type: "boolean" };
  }
  if (left.type !== "integer" || right.type !== "integer") return nothing;
  // What is beyond 64 bits has none.
  const [a, b] = [`TRY_CAST(${left.sql} AS BIGINT)`, `TRY_CAST(${right.sql} AS BIGINT)`];
  return { sql: op === "^" ? `xor(${a}, ${b})` : `(${a} ${op} ${b})`, type: "integer" };
}

/** Of numbers; the casts `integer` and `float` too. DuckDB fails where a function has no value: then there is none. */
const functions: Readonly<Record<string, { readonly sql: string; readonly keepsType?: true }>> = {
  integer: { sql: "trunc(x)" },
  float: { sql: "x" },
  abs: { sql: "abs(x)", keepsType: true },
  ceil: { sql: "ceil(x)", keepsType: true },
  floor: { sql: "floor(x)", keepsType: true },
  round: { sql: "round(x)", keepsType: true },
  sqrt: { sql: "sqrt(x)" },
  exp: { sql: "exp(x)" },
  ln: { sql: "ln(x)" },
  log: { sql: "(ln(x) / ln(y))" },
  log2: { sql: "log2(x)" },
  log10: { sql: "log10(x)" },
  pow: { sql: "pow(x, y)" },
  sin: { sql: "sin(x)" },
  cos: { sql: "cos(x)" },
  tan: { sql: "tan(x)" },
  asin: { sql: "asin(x)" },
  acos: { sql: "acos(x)" },
  atan: { sql: "atan(x)" },
  atan2: { sql: "atan2(x, y)" },
};

function call(name: string, args: readonly Typed[]): Typed {
  const made = Object.hasOwn(functions, name) ? functions[name] : undefined;
  const [x, y] = args;
  if (made === undefined || x === undefined || !args.every(isNumber)) return nothing;
  if (made.sql.includes("y") !== (y !== undefined)) return nothing;
  const isInteger = name === "integer" || (made.keepsType === true && x.type === "integer");
  const sql = made.sql
    .replaceAll(/\bx\b/g, () => `${x.sql}::DOUBLE`)
    .replaceAll(/\by\b/g, () => `${y?.sql ?? ""}::DOUBLE`);
  return { sql: `TRY(${sql})`, type: isInteger ? "integer" : "float" };
}

function truth({ sql, type }: Typed): string {
  return type === "boolean" ? sql : "FALSE";
}

function isNumber({ type }: Typed): boolean {
  return type === "float" || type === "integer";
}
