import type {
  BinaryOp,
  Dimension,
  Expr,
  Fill,
  MeasurementSource,
  SelectField,
  SelectStatement,
  Source,
} from "./ast.ts";
import { InfluxqlError } from "./errors.ts";
import { onlyArgument, parseExpr, segments } from "./parse-expr.ts";
import { is, type Reader } from "./reader.ts";
import { refusedTarget } from "./refused.ts";
import { isZone } from "./zones.ts";

const conditions: ReadonlySet<BinaryOp> = new Set(["=", "!=", "<", "<=", ">", ">=", "=~", "!~", "AND", "OR"]);

/** After `SELECT`. */
export function parseSelect(reader: Reader): SelectStatement {
  const fields = list(reader, field);
  if (is(reader.peek(), "INTO")) throw refusedTarget();
  reader.expect("FROM");
  const sources = list(reader, source);
  const condition = parseCondition(reader);
  const dimensions = parseDimensions(reader);
  const fill = parseFill(reader);
  const order = parseOrder(reader);
  const limit = parseCount(reader, "LIMIT");
  const offset = parseCount(reader, "OFFSET");
  const slimit = parseCount(reader, "SLIMIT");
  const soffset = parseCount(reader, "SOFFSET");
  const zone = parseZone(reader);
  return {
    kind: "select",
    fields,
    sources,
    ...(condition !== undefined && { condition }),
    dimensions,
    fill,
    order,
    limit,
    offset,
    slimit,
    soffset,
    ...(zone !== undefined && { zone }),
  };
}

function list<T>(reader: Reader, item: (reader: Reader) => T): T[] {
  const items = [item(reader)];
  while (reader.accept(",")) items.push(item(reader));
  return items;
}

function field(reader: Reader): SelectField {
  const regex = reader.acceptRegex();
  const first = reader.peek();
  const expr: Expr =
    regex === undefined ? parseExpr(reader) : { kind: "regex", regex: regex.text, at: regex.at };
  const condition = conditionIn(expr);
  if (condition !== undefined) {
    const message = reader.error(`invalid operator ${condition} in SELECT clause`, first).message;
    throw new InfluxqlError("syntax", `${message}; operator is intended for WHERE clause`);
  }
  return reader.accept("AS") ? { expr, alias: reader.ident() } : { expr };
}

/** An operator that answers yes or no. */
function conditionIn(expr: Expr): BinaryOp | undefined {
  if (expr.kind === "paren") return conditionIn(expr.expr);
  if (expr.kind === "call") return expr.args.map(conditionIn).find((op) => op !== undefined);
  if (expr.kind !== "binary") return undefined;
  if (conditions.has(expr.op)) return expr.op;
  return conditionIn(expr.left) ?? conditionIn(expr.right);
}

function source(reader: Reader): Source {
  const first = reader.peek();
  if (!is(first, "(")) return measurement(reader);
  reader.take();
  reader.expect("SELECT");
  const statement = reader.nested(() => parseSelect(reader));
  reader.expect(")");
  return { kind: "subquery", at: first.at, statement };
}

export function parseMeasurements(reader: Reader): MeasurementSource[] {
  return list(reader, measurement);
}

/** `m`, `rp.m`, `db.rp.m`, `db..m`, with a regular expression in the place of `m` too. */
export function measurement(reader: Reader): MeasurementSource {
  const bare = reader.acceptRegex();
  if (bare !== undefined) return { kind: "measurement", at: bare.at, name: { regex: bare.text } };
  const first = reader.take();
  if (first.kind !== "ident") throw reader.unexpected(first, ["identifier"]);
  const names = segments(reader, first);
  const regex = names.length < 3 ? reader.acceptRegex() : undefined;
  const name = regex === undefined ? { name: names.pop() ?? "" } : { regex: regex.text };
  const policy = names.pop() ?? "";
  const database = names.pop() ?? "";
  return {
    kind: "measurement",
    at: first.at,
    ...(database !== "" && { database }),
    ...(policy !== "" && { policy }),
    name,
  };
}

export function parseCondition(reader: Reader): Expr | undefined {
  return reader.accept("WHERE") ? parseExpr(reader) : undefined;
}

function parseDimensions(reader: Reader): Dimension[] {
  if (!reader.accept("GROUP")) return [];
  reader.expect("BY");
  const dimensions = list(reader, dimension);
  if (dimensions.filter((dimension) => dimension?.kind === "time").length > 1)
    throw new InfluxqlError("semantic", "multiple time dimensions not allowed");
  return dimensions.filter((dimension) => dimension !== undefined);
}

/** Undefined: windows of no length are none. */
function dimension(reader: Reader): Dimension | undefined {
  const regex = reader.acceptRegex();
  if (regex !== undefined) return { kind: "regex", regex: regex.text, at: regex.at };
  const expr = parseExpr(reader);
  const { at } = expr;
  if (expr.kind === "wildcard") return { kind: "wildcard", at };
  if (expr.kind === "ref") {
    if (expr.name.toLowerCase() === "time")
      throw new InfluxqlError("semantic", "time() is a function and expects at least one argument");
    return { kind: "tag", name: expr.name, at };
  }
  if (expr.kind !== "call") throw new InfluxqlError("semantic", "only time and tag dimensions allowed");
  if (expr.name !== "time") throw new InfluxqlError("semantic", "only time() calls allowed in dimensions");
  const [every, offset] = expr.args;
  if (every === undefined || expr.args.length > 2)
    throw new InfluxqlError("semantic", "time dimension expected 1 or 2 arguments");
  if (every.kind !== "duration")
    throw new InfluxqlError("semantic", "time dimension must have duration argument");
  if (every.ns <= 0n) return undefined;
  return { kind: "time", every_ns: every.ns, ...(offset !== undefined && { offset }), at };
}

function parseFill(reader: Reader): Fill {
  if (!isCallOf(reader, "fill")) return { kind: "default" };
  const needs = "an argument, e.g.: 0, null, none, previous, linear";
  const argument = onlyArgument(reader, "fill", parseExpr(reader), needs);
  if (argument.kind === "ref") {
    const { name } = argument;
    if (name === "null" || name === "none" || name === "previous" || name === "linear") return { kind: name };
  }
  if (argument.kind === "integer" || argument.kind === "number")
    return { kind: "number", value: Number(argument.value) };
  throw new InfluxqlError("syntax", "error parsing query: expected number argument in fill()");
}

function parseZone(reader: Reader): string | undefined {
  if (!isCallOf(reader, "tz")) return undefined;
  const argument = onlyArgument(reader, "tz", parseExpr(reader), "exactly one argument");
  if (argument.kind !== "string")
    throw new InfluxqlError("syntax", "error parsing query: expected string argument in tz()");
  if (!isZone(argument.value))
    throw new InfluxqlError("syntax", `error parsing query: unable to find time zone ${argument.value}`);
  return argument.value;
}

function isCallOf(reader: Reader, name: string): boolean {
  const token = reader.peek();
  return token.kind === "ident" && token.text.toLowerCase() === name;
}

/** `ORDER BY time DESC`, or `ORDER BY DESC`. */
export function parseOrder(reader: Reader): "asc" | "desc" {
  if (!reader.accept("ORDER")) return "asc";
  reader.expect("BY");
  const token = reader.take();
  const onlyTime = new InfluxqlError(
    "syntax",
    "error parsing query: only ORDER BY time supported at this time",
  );
  if (token.kind === "ident" && token.text !== "time") throw onlyTime;
  if (token.kind !== "ident" && !is(token, "ASC") && !is(token, "DESC"))
    throw reader.unexpected(token, ["identifier", "ASC", "DESC"]);
  const isDescending = is(token, "DESC") || (token.kind === "ident" && reader.accept("DESC"));
  if (token.kind === "ident" && !isDescending) reader.accept("ASC");
  if (is(reader.peek(), ",")) throw onlyTime;
  return isDescending ? "desc" : "asc";
}

/** `LIMIT 5` and its like; 0: not there. */
export function parseCount(reader: Reader, keyword: string): number {
  return reader.accept(keyword)
    ? Math.max(0, Math.min(Number(reader.integer()), Number.MAX_SAFE_INTEGER))
    : 0;
}
