import type {
  Dimension,
  Expr,
  Fill,
  NameOrRegex,
  SelectField,
  SelectStatement,
  ShowStatement,
  Source,
  Statement,
} from "./ast.ts";
import { printDuration } from "./durations.ts";
import { isKeyword } from "./tokens.ts";

/** InfluxQL that says the same: `parse` makes the same tree of it. */
export function print(node: Statement | Expr): string {
  if (node.kind === "select") return printSelect(node);
  if (node.kind === "show") return printShow(node);
  if (node.kind === "explain")
    return `EXPLAIN ${node.analyze ? "ANALYZE " : ""}${printSelect(node.statement)}`;
  return printExpr(node);
}

function printSelect(statement: SelectStatement): string {
  const { fields, sources, condition, dimensions, fill, order, zone } = statement;
  return [
    `SELECT ${fields.map(printField).join(", ")}`,
    `FROM ${sources.map(printSource).join(", ")}`,
    condition === undefined ? "" : `WHERE ${printExpr(condition)}`,
    dimensions.length === 0 ? "" : `GROUP BY ${dimensions.map(printDimension).join(", ")}`,
    printFill(fill),
    order === "desc" ? "ORDER BY time DESC" : "",
    ...(["limit", "offset", "slimit", "soffset"] as const).map((name) => printCount(name, statement[name])),
    zone === undefined ? "" : `tz(${quoteString(zone)})`,
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function printShow(statement: ShowStatement): string {
  const { what, database, sources, measurement, keys, cardinality, exact, condition, limit, offset } =
    statement;
  // Keys and measurements are one by one where they are counted.
  const isOne = cardinality === true && what !== "series" && what !== "tag values";
  return [
    `SHOW ${(isOne ? what.slice(0, -1) : what).toUpperCase()}`,
    cardinality === true ? `${exact === true ? "EXACT " : ""}CARDINALITY` : "",
    database === undefined ? "" : `ON ${quoteIdent(database)}`,
    sources.length === 0 ? "" : `FROM ${sources.map(printSource).join(", ")}`,
    measurement === undefined ? "" : `WITH MEASUREMENT ${measurement.op} ${printName(measurement.name)}`,
    keys === undefined ? "" : `WITH KEY ${printKeys(keys)}`,
    condition === undefined ? "" : `WHERE ${printExpr(condition)}`,
    printCount("limit", limit),
    printCount("offset", offset),
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function printKeys(keys: NonNullable<ShowStatement["keys"]>): string {
  if (keys.op === "IN") return `IN (${keys.names.map(quoteIdent).join(", ")})`;
  return `${keys.op} ${"name" in keys ? quoteIdent(keys.name) : quoteRegex(keys.regex)}`;
}

function printField({ expr, alias }: SelectField): string {
  return alias === undefined ? printExpr(expr) : `${printExpr(expr)} AS ${quoteIdent(alias)}`;
}

function printSource(source: Source): string {
  if (source.kind === "subquery") return `(${printSelect(source.statement)})`;
  const { database, policy, name } = source;
  const before = database === undefined ? [] : [quoteIdent(database)];
  if (policy !== undefined) before.push(quoteIdent(policy));
  else if (database !== undefined) before.push("");
  return [...before, printName(name)].join(".");
}

function printName(name: NameOrRegex): string {
  return "name" in name ? quoteIdent(name.name) : quoteRegex(name.regex);
}

function printDimension(dimension: Dimension): string {
  if (dimension.kind === "wildcard") return "*";
  if (dimension.kind === "tag") return quoteIdent(dimension.name);
  if (dimension.kind === "regex") return quoteRegex(dimension.regex);
  const offset = dimension.offset === undefined ? "" : `, ${printExpr(dimension.offset)}`;
  return `time(${printDuration(dimension.every_ns)}${offset})`;
}

function printFill(fill: Fill): string {
  if (fill.kind === "default") return "";
  return `fill(${fill.kind === "number" ? printNumber(fill.value) : fill.kind})`;
}

function printCount(name: string, count: number): string {
  return count === 0 ? "" : `${name.toUpperCase()} ${count}`;
}

function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case "binary":
      return `${printExpr(expr.left)} ${expr.op} ${printExpr(expr.right)}`;
    case "call":
      return `${expr.name === "distinct" ? expr.name : quoteIdent(expr.name)}(${expr.args.map(printExpr).join(", ")})`;
    case "distinct":
      return `DISTINCT ${quoteIdent(expr.field)}`;
    case "paren":
      return `(${printExpr(expr.expr)})`;
    case "ref":
      return `${quoteIdent(expr.name)}${expr.cast === undefined ? "" : `::${expr.cast}`}`;
    case "wildcard":
      return `*${expr.of === undefined ? "" : `::${expr.of}`}`;
    case "regex":
      return quoteRegex(expr.regex);
    case "integer":
      return String(expr.value);
    case "number":
      return printNumber(expr.value);
    case "string":
      return quoteString(expr.value);
    case "boolean":
      return String(expr.value);
    case "duration":
      return printDuration(expr.ns);
  }
  return expr satisfies never;
}

/** All its digits and a point: without one it would be an integer, and exponents are no part of the language. */
function printNumber(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa = "0", exponent = "0"] = String(Math.abs(value)).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const point = whole.length + Number(exponent);
  const digits = `${whole}${fraction}`;
  const before = point <= 0 ? "0" : digits.slice(0, point).padEnd(point, "0");
  const after = point <= 0 ? `${"0".repeat(-point)}${digits}` : digits.slice(point);
  return `${sign}${before}.${after === "" ? "0" : after}`;
}

const newline = /\n/g;
const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function quoteIdent(name: string): string {
  if (plainName.test(name) && !isKeyword(name)) return name;
  return `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replace(newline, "\\n")}"`;
}

function quoteString(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replace(newline, "\\n")}'`;
}

function quoteRegex(regex: string): string {
  return `/${regex.replaceAll("/", "\\/").replace(newline, "\\n")}/`;
}
