import type { Expr, SelectField } from "./ast.ts";

export type Ref = Extract<Expr, { kind: "ref" }>;
export type Call = Extract<Expr, { kind: "call" }>;

export function childrenOf(expr: Expr): readonly Expr[] {
  if (expr.kind === "binary") return [expr.left, expr.right];
  if (expr.kind === "call") return expr.args;
  return expr.kind === "paren" ? [expr.expr] : [];
}

/** The same expression with `change` made of each part, inner parts first. */
export function mapExpr(expr: Expr, change: (part: Expr) => Expr): Expr {
  if (expr.kind === "binary")
    return change({ ...expr, left: mapExpr(expr.left, change), right: mapExpr(expr.right, change) });
  if (expr.kind === "call")
    return change({ ...expr, args: expr.args.map((argument) => mapExpr(argument, change)) });
  return change(expr.kind === "paren" ? { ...expr, expr: mapExpr(expr.expr, change) } : expr);
}

export function refsIn(expr: Expr): Ref[] {
  return expr.kind === "ref" ? [expr] : childrenOf(expr).flatMap(refsIn);
}

export function contains(expr: Expr, kind: Expr["kind"]): boolean {
  return expr.kind === kind || childrenOf(expr).some((child) => contains(child, kind));
}

export function isLiteral(expr: Expr): boolean {
  return ["integer", "number", "string", "boolean", "duration", "regex"].includes(expr.kind);
}

/** Alias, or the name of a function or reference, or those of an expression with `_` between; empty for a literal. */
export function fieldName({ expr, alias }: SelectField): string {
  if (alias !== undefined && alias !== "") return alias;
  if (expr.kind === "call" || expr.kind === "ref") return expr.name;
  if (expr.kind === "binary") return namesIn(expr).join("_");
  return expr.kind === "paren" ? fieldName({ expr: expr.expr }) : "";
}

function namesIn(expr: Expr): string[] {
  return expr.kind === "ref" || expr.kind === "call" ? [expr.name] : childrenOf(expr).flatMap(namesIn);
}

export function isTopOrBottom(expr: Expr): expr is Call & { readonly name: "top" | "bottom" } {
  return expr.kind === "call" && (expr.name === "top" || expr.name === "bottom");
}
