import type { Expr, SelectField } from "./ast.ts";

/**
 * The names of a SELECT's columns after `time`, as InfluxDB gives them: an alias; a field's, tag's or function's name; of arithmetic the names in it,
 * as in `mean_max`. A name that is taken gets a number: `mean_1`. `top` and `bottom` have a column for each tag or field after the first, too.
 */
export function columnNames(fields: readonly SelectField[]): string[] {
  const columns = fields.flatMap((field) => [field, ...besideTop(field.expr)]);
  const taken = new Map<string, number>();
  for (const { alias } of columns) if (alias !== undefined) taken.set(alias, 1);
  return columns.map(({ expr, alias }) => {
    if (alias !== undefined) return alias;
    let name = nameOf(expr);
    let count = taken.get(name);
    if (count !== undefined) {
      while (taken.has(`${name}_${count}`)) count++;
      taken.set(name, count + 1);
      name = `${name}_${count}`;
    }
    taken.set(name, (taken.get(name) ?? 0) + 1);
    return name;
  });
}

function besideTop(expr: Expr): SelectField[] {
  if (expr.kind !== "call" || (expr.name !== "top" && expr.name !== "bottom")) return [];
  return expr.args
    .slice(1)
    .filter((argument) => argument.kind === "ref")
    .map((argument) => ({ expr: argument }));
}

function nameOf(expr: Expr): string {
  if (expr.kind === "distinct") return "distinct";
  return namesIn(expr).join("_");
}

function namesIn(expr: Expr): string[] {
  if (expr.kind === "call" || expr.kind === "ref") return [expr.name];
  if (expr.kind === "paren") return namesIn(expr.expr);
  return expr.kind === "binary" ? [...namesIn(expr.left), ...namesIn(expr.right)] : [];
}
