import type { BinaryOp, Expr } from "./ast.ts";
import { childrenOf } from "./expressions.ts";
import { type Matcher, matcherOf } from "./regex/index.ts";

/** What is left of a condition when a series' tags are known: true, false, or what its fields must say. */
export type Decided = boolean | Expr;
/** Undefined: not known here. A tag that a series does not have is "". */
export type TagValue = (name: string) => string | undefined;

/** Decides what tags can decide, as influxd does: what compares a tag with anything but a text or another tag is never met. */
export function decide(condition: Expr, valueOf: TagValue): Decided {
  if (condition.kind === "paren") return decide(condition.expr, valueOf);
  if (condition.kind === "boolean") return condition.value;
  if (condition.kind !== "binary") return condition;
  const { op, left, right } = condition;
  if (op === "AND" || op === "OR") {
    const first = decide(left, valueOf);
    // What decides AND and OR at once, and what leaves the other side to decide.
    if (first === (op === "OR")) return first;
    const second = decide(right, valueOf);
    if (second === (op === "OR") || typeof first === "boolean") return second;
    if (typeof second === "boolean") return first;
    return { ...condition, left: first, right: second };
  }
  if (isField(left) || isField(right)) return isTag(left) || isTag(right) ? false : condition;
  const [a, b] = [known(left, valueOf), known(right, valueOf)];
  if (a === undefined || b === undefined) return condition;
  return compare(op, a, b);
}

type Known = string | number | boolean | Matcher;

function known(expr: Expr, valueOf: TagValue): Known | undefined {
  if (expr.kind === "paren") return known(expr.expr, valueOf);
  if (expr.kind === "ref") return expr.cast === "tag" ? valueOf(expr.name) : "";
  if (expr.kind === "string" || expr.kind === "boolean" || expr.kind === "number") return expr.value;
  if (expr.kind === "integer") return Number(expr.value);
  return expr.kind === "regex" ? matcherOf(expr) : undefined;
}

function compare(op: BinaryOp, a: Known, b: Known): boolean {
  if (typeof b === "object")
    return typeof a === "string" && (op === "=~" || op === "!~") && b.test(a) === (op === "=~");
  if (typeof a === "object") return compare(op, b, a);
  if (typeof a !== typeof b) return false;
  if (op === "=") return a === b;
  if (op === "!=") return a !== b;
  if (typeof a !== "number" || typeof b !== "number") return false;
  return op === "<" ? a < b : op === "<=" ? a <= b : op === ">" ? a > b : op === ">=" && a >= b;
}

/** Does it name this tag? */
export function names(condition: Expr, key: string): boolean {
  if (condition.kind === "ref") return condition.name === key && condition.cast === "tag";
  if (condition.kind === "paren") return names(condition.expr, key);
  return condition.kind === "binary" && (names(condition.left, key) || names(condition.right, key));
}

/** Values of which this tag must have one for the condition to be met; undefined: that cannot be seen. */
export function neededValues(condition: Expr, key: string): Set<string> | undefined {
  if (condition.kind === "paren") return neededValues(condition.expr, key);
  if (condition.kind !== "binary") return undefined;
  const { op, left, right } = condition;
  if (op === "AND" || op === "OR") {
    const [a, b] = [neededValues(left, key), neededValues(right, key)];
    if (op === "OR") return a === undefined || b === undefined ? undefined : new Set([...a, ...b]);
    return a !== undefined && b !== undefined ? new Set([...a].filter((value) => b.has(value))) : (a ?? b);
  }
  if (left.kind !== "ref" || left.name !== key || left.cast !== "tag") return undefined;
  if (op === "=" && right.kind === "string") return new Set([right.value]);
  if (op === "=~" && right.kind === "regex") return alternatives(right.regex);
  return undefined;
}

/** Of `^(a|b|c)$`, in which form Grafana writes several values of a variable. */
function alternatives(regex: string): Set<string> | undefined {
  const inside = /^\^(?:\((?:\?:)?(?<several>[^()]*)\)|(?<one>[^()|]*))\$$/.exec(regex)?.groups;
  const text = inside?.["several"] ?? inside?.["one"];
  if (text === undefined) return undefined;
  const values = text.split("|").map((value) => value.replaceAll(/\\([^0-9A-Za-z])/g, "$1"));
  // What is left has no more meaning than its letters.
  return /^(?:[^\\.+*?[\]{}^$]|\\[^0-9A-Za-z])*$/.test(text) ? new Set(values) : undefined;
}

function isTag(expr: Expr): boolean {
  return expr.kind === "ref" && expr.cast !== "field";
}

/** Is there a field in it? */
function isField(expr: Expr): boolean {
  if (expr.kind === "ref") return expr.cast === "field";
  return childrenOf(expr).some(isField);
}
