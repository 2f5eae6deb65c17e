import type { Cast, Expr } from "./ast.ts";
import type { ValueType } from "./engine.ts";
import { InfluxqlError } from "./errors.ts";
import type { Call, Ref } from "./expressions.ts";
import { print } from "./print.ts";

/** What a reference is found to be; undefined: it is in none of the sources. `field` is one that was asked for as a field and is none. */
export type DataType = ValueType | "tag" | "field" | undefined;

const precedence: readonly DataType[] = ["float", "integer", "string", "boolean", "tag", "field"];

/** Of a name that several sources have: the first in the order of types. */
export function betterType(a: DataType, b: DataType): DataType {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return precedence.indexOf(a) <= precedence.indexOf(b) ? a : b;
}

export function typeOfCast(cast: Cast | undefined): DataType {
  return cast === "unsigned" ? "integer" : cast;
}

/** After references have their type as their cast. */
export function typeOf(expr: Expr): DataType {
  switch (expr.kind) {
    case "ref":
      return typeOfCast(expr.cast);
    case "call":
      return typeOfCall(expr);
    case "binary":
      return typeOfBinary(expr);
    case "paren":
      return typeOf(expr.expr);
    case "number":
      return "float";
    case "integer":
    case "string":
    case "boolean":
      return expr.kind;
    case "distinct":
    case "duration":
    case "regex":
    case "wildcard":
      return undefined;
    default:
      return expr satisfies never;
  }
}

/** Functions of single values too have their argument's type, for InfluxDB: a sub-query's `sqrt` of integers is an integer outside. */
function typeOfCall(call: Call): DataType {
  const types = call.args.map(typeOf);
  switch (call.name) {
    case "count":
    case "elapsed":
      return "integer";
    case "mean":
    case "median":
    case "integral":
    case "stddev":
    case "derivative":
    case "non_negative_derivative":
    case "moving_average":
      return "float";
    default:
      return types[0];
  }
}

const arithmetic = new Set(["+", "-", "*", "/", "%"]);
const bitwise = new Set(["&", "|", "^"]);

function typeOfBinary(expr: Expr & { kind: "binary" }): DataType {
  const left = typeOf(expr.left);
  const right = typeOf(expr.right);
  if (left === undefined) return right;
  if (right === undefined) return left;
  const type = resultOf(expr.op, left, right);
  if (type === undefined)
    throw new InfluxqlError(
      "semantic",
      `type error: ${print(expr)}: incompatible types: ${left} and ${right}`,
    );
  return type;
}

function resultOf(op: string, left: DataType, right: DataType): DataType {
  const isNumber = (type: DataType): boolean => type === "float" || type === "integer";
  if (left === "boolean" && right === "boolean" && !arithmetic.has(op)) return "boolean";
  if (!arithmetic.has(op) && !bitwise.has(op)) return "boolean";
  if (!isNumber(left) || !isNumber(right)) return undefined;
  const type = left === "integer" && right === "integer" ? "integer" : "float";
  return bitwise.has(op) && type === "float" ? undefined : type;
}

/** Of a value that is kept in a column. */
export function valueType(type: DataType): ValueType {
  return type === undefined || type === "tag" || type === "field" ? "string" : type;
}

/** What a reference of a prepared statement is. */
export function castOf(ref: Ref): DataType {
  return typeOfCast(ref.cast);
}
