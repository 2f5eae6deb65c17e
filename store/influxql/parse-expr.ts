import type { BinaryOp, Cast, Expr } from "./ast.ts";
import { parseDuration } from "./durations.ts";
import { InfluxqlError } from "./errors.ts";
import { is, type Reader } from "./reader.ts";
import type { Token } from "./tokens.ts";

const precedences: Readonly<Record<BinaryOp, number>> = {
  OR: 1,
  AND: 2,
  "=": 3,
  "!=": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "=~": 3,
  "!~": 3,
  "+": 4,
  "-": 4,
  "|": 4,
  "^": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  "&": 5,
};
const casts = ["float", "integer", "unsigned", "string", "boolean", "field", "tag"] as const;
const maxInt64 = 2n ** 63n - 1n;

export function parseExpr(reader: Reader): Expr {
  return reader.nested(() => chain(reader, 1));
}

/** Operands and operators that bind at least as `lowest` does; of the same strength the left first. */
function chain(reader: Reader, lowest: number): Expr {
  let left = operand(reader);
  for (;;) {
    const token = reader.peek();
    const op = operatorOf(token);
    if (op === undefined || precedences[op] < lowest) return left;
    reader.take();
    reader.countOperator();
    const right = op === "=~" || op === "!~" ? regexOperand(reader) : chain(reader, precedences[op] + 1);
    left = { kind: "binary", op, left, right, at: token.at };
  }
}

function operatorOf(token: Token): BinaryOp | undefined {
  const isOperator =
    (token.kind === "symbol" || token.kind === "keyword") && Object.hasOwn(precedences, token.text);
  return isOperator ? (token.text as BinaryOp) : undefined;
}

function regexOperand(reader: Reader): Expr {
  const regex = reader.acceptRegex();
  if (regex === undefined) throw reader.unexpected(reader.take(), ["regex"]);
  return { kind: "regex", regex: regex.text, at: regex.at };
}

function operand(reader: Reader): Expr {
  const token = reader.take();
  const { at, text } = token;
  switch (token.kind) {
    case "ident":
      if (is(reader.peekNext(), "(")) return call(reader, text, at);
      return reference(reader, token);
    case "string":
      return { kind: "string", value: text, at };
    case "number": {
      const value = Number(text);
      if (!Number.isFinite(value)) throw reader.error("unable to parse number", token);
      return { kind: "number", value, at };
    }
    case "integer": {
      const value = BigInt(text);
      if (value > maxInt64) throw reader.error("unable to parse integer", token);
      return { kind: "integer", value, at };
    }
    case "duration": {
      const ns = parseDuration(text);
      if (typeof ns === "string") throw reader.error(ns, token);
      return { kind: "duration", ns, at };
    }
    case "regex":
      return { kind: "regex", regex: text, at };
    case "param":
      throw reader.unbound(token);
    case "keyword":
      if (text === "TRUE" || text === "FALSE") return { kind: "boolean", value: text === "TRUE", at };
      if (text === "DISTINCT") return distinct(reader, at);
      break;
    case "symbol":
      if (text === "(") return inParentheses(reader, at);
      if (text === "*") return wildcard(reader, at);
      if (text === "-" || text === "+") return signed(reader, text, at);
      break;
    case "space":
    case "eof":
    case "bad":
      break;
  }
  throw reader.unexpected(token, ["identifier", "string", "number", "bool"]);
}

function inParentheses(reader: Reader, at: number): Expr {
  const expr = parseExpr(reader);
  reader.expect(")");
  return { kind: "paren", expr, at };
}

/** A literal takes the sign; anything else is multiplied. */
function signed(reader: Reader, sign: "-" | "+", at: number): Expr {
  const token = reader.peek();
  const mayFollow = ["number", "integer", "duration", "ident"].includes(token.kind) || is(token, "(");
  if (!mayFollow) throw reader.unexpected(reader.take(), ["identifier", "number", "duration", "("]);
  const isMinus = sign === "-";
  if (token.kind === "integer" && isMinus && BigInt(token.text) === maxInt64 + 1n) {
    reader.take();
    return { kind: "integer", value: -maxInt64 - 1n, at };
  }
  const expr = operand(reader);
  if (expr.kind === "number") return { ...expr, value: isMinus ? -expr.value : expr.value, at };
  if (expr.kind === "integer") return { ...expr, value: isMinus ? -expr.value : expr.value, at };
  if (expr.kind === "duration") return { ...expr, ns: isMinus ? -expr.ns : expr.ns, at };
  reader.countOperator();
  const left: Expr = { kind: "integer", value: isMinus ? -1n : 1n, at };
  return { kind: "binary", op: "*", left, right: expr, at };
}

function distinct(reader: Reader, at: number): Expr {
  const token = reader.peekNext();
  if (is(token, "(")) return call(reader, "distinct", at);
  if (token.kind !== "space") throw reader.unexpected(reader.next(), ["(", "identifier"]);
  return { kind: "distinct", field: reader.ident(), at };
}

function wildcard(reader: Reader, at: number): Expr {
  if (!is(reader.peekNext(), "::")) return { kind: "wildcard", at };
  reader.next();
  const token = reader.next();
  if (is(token, "FIELD")) return { kind: "wildcard", of: "field", at };
  if (is(token, "TAG")) return { kind: "wildcard", of: "tag", at };
  throw reader.unexpected(token, ["field", "tag"]);
}

function reference(reader: Reader, first: Token): Expr {
  const name = segments(reader, first).join(".");
  if (!is(reader.peekNext(), "::")) return { kind: "ref", name, at: first.at };
  reader.next();
  const token = reader.next();
  const cast = casts.find((candidate) => candidate === token.text.toLowerCase());
  if (cast === undefined || (token.kind !== "ident" && token.kind !== "keyword"))
    throw reader.unexpected(token, casts);
  return { kind: "ref", name, cast: cast satisfies Cast, at: first.at };
}

/**
 * `"db"."rp"."m"`, `rp.m`, `db..m` after its first name. A dot before a regular expression is taken: the expression comes next.
 */
export function segments(reader: Reader, first: Token): string[] {
  const names = [first.text];
  while (is(reader.peekNext(), ".")) {
    reader.next();
    const next = reader.peekNext();
    if (is(next, "/")) break;
    if (is(next, ".")) names.push("");
    else names.push(reader.ident());
  }
  if (names.length > 3) throw reader.error(`too many segments in "${names.join('"."')}"`, first);
  return names;
}

function call(reader: Reader, name: string, at: number): Expr {
  reader.expect("(");
  const args: Expr[] = [];
  if (!reader.accept(")")) {
    do {
      const regex = reader.acceptRegex();
      args.push(regex === undefined ? parseExpr(reader) : { kind: "regex", regex: regex.text, at: regex.at });
    } while (reader.accept(","));
    reader.expect(")");
  }
  return { kind: "call", name: name.toLowerCase(), args, at };
}

/** What is asked of a call's arguments before anything runs. */
export function onlyArgument(reader: Reader, name: string, expr: Expr, needs: string): Expr {
  if (expr.kind !== "call")
    throw new InfluxqlError("syntax", `error parsing query: ${name} must be a function call`);
  const [argument] = expr.args;
  if (argument === undefined || expr.args.length > 1)
    throw new InfluxqlError("syntax", `error parsing query: ${name} requires ${needs}`);
  return argument;
}
