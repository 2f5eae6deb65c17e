import { databaseName, policies } from "../query.ts";
import type { Dimension, Expr, SelectField, SelectStatement, Source } from "./ast.ts";
import { checkCondition, checkFields } from "./check.ts";
import { columnNames } from "./columns.ts";
import type { Schema } from "./engine.ts";
import { InfluxqlError } from "./errors.ts";
import { isTopOrBottom, mapExpr } from "./expressions.ts";
import { fold, withoutTimes } from "./fold.ts";
import { Names } from "./names.ts";
import type { Interval, Ready, ReadySource } from "./ready.ts";
import { compileRegex } from "./regex/index.ts";
import { splitTime } from "./time-range.ts";
import { looksLikeTime, parseTime } from "./times.ts";
import { typeOf } from "./types.ts";

export interface Surroundings {
  readonly schema: Schema;
  readonly now: number;
  readonly defaultPolicy: string;
}

interface Outer {
  readonly hasWindows: boolean;
  readonly order: "asc" | "desc";
}

export function prepare(statement: SelectStatement, around: Surroundings, outer?: Outer): Ready {
  const { condition, range } = splitTime(statement.condition, { now: around.now, zone: statement.zone });
  if (condition !== undefined) checkCondition(condition);
  const interval = intervalOf(statement.dimensions, around.now, statement.zone);
  const folded = {
    ...statement,
    fields: statement.fields.map((field) => ({
      ...field,
      expr: constantsFolded(distinctAsCall(field.expr), around.now),
    })),
  };
  const hasWindows = interval !== undefined || outer?.hasWindows === true;
  checkFields(folded, { has: hasWindows, isInherited: interval === undefined && hasWindows });
  if (outer !== undefined && statement.order === "desc" && outer.order !== "desc")
    throw new InfluxqlError(
      "semantic",
      "subqueries must be ordered in the same direction as the query itself",
    );
  const order = outer?.order ?? statement.order;
  const sources = statement.sources.flatMap((source) => readySources(source, around, { hasWindows, order }));
  const names = new Names(around.schema, sources);
  const fields = names.expand(
    withoutTime(folded.fields).map((field) => ({ ...field, expr: names.typed(field.expr) })),
    statement.dimensions,
  );
  for (const { expr } of fields) typeOf(expr);
  return {
    fields,
    outputs: fields.flatMap(({ expr }) => [expr, ...(isTopOrBottom(expr) ? expr.args.slice(1, -1) : [])]),
    columns: columnNames(fields),
    timeColumn: timeColumn(statement.fields),
    sources,
    condition: condition === undefined ? undefined : names.typed(condition),
    range,
    interval,
    groupBy: names.expandDimensions(statement.dimensions),
    fill: statement.fill,
    order,
    limit: statement.limit,
    offset: statement.offset,
    slimit: statement.slimit,
    soffset: statement.soffset,
    zone: statement.zone,
  };
}

function distinctAsCall(expr: Expr): Expr {
  return mapExpr(expr, (part) =>
    part.kind === "distinct"
      ? {
          kind: "call",
          name: "distinct",
          args: [{ kind: "ref", name: part.field, at: part.at }],
          at: part.at,
        }
      : part,
  );
}

function constantsFolded(expr: Expr, now: number): Expr {
  const folded = withoutTimes(fold(expr, { now: BigInt(now) * 1_000_000n }));
  return folded.kind === "paren" ? folded.expr : folded;
}

function isTime({ expr }: SelectField): boolean {
  return expr.kind === "ref" && expr.name === "time";
}

function withoutTime(fields: readonly SelectField[]): SelectField[] {
  return fields.filter((field) => !isTime(field));
}

function timeColumn(fields: readonly SelectField[]): string {
  return fields.findLast((field) => isTime(field) && field.alias !== undefined)?.alias ?? "time";
}

function readySources(source: Source, around: Surroundings, outer: Outer): ReadySource[] {
  if (source.kind === "subquery")
    return [{ kind: "subquery", select: prepare(source.statement, around, outer) }];
  const { database, policy = around.defaultPolicy, name } = source;
  if (database !== undefined && database !== databaseName)
    throw new InfluxqlError("semantic", `database not found: ${database}`);
  if (!around.schema.policies.includes(policy) && !(policies as readonly string[]).includes(policy))
    throw new InfluxqlError("semantic", `retention policy not found: ${policy}`);
  if ("name" in name) return [{ kind: "measurement", policy, name: name.name }];
  const regex = compileRegex(name.regex);
  return around.schema
    .measurements(policy)
    .filter((candidate) => regex.test(candidate))
    .map((found) => ({ kind: "measurement", policy, name: found }));
}

function intervalOf(
  dimensions: readonly Dimension[],
  now: number,
  zone: string | undefined,
): Interval | undefined {
  const time = dimensions.find((dimension) => dimension.kind === "time");
  if (time === undefined || time.every_ns <= 0n) return undefined;
  if (time.every_ns % 1_000_000n !== 0n)
    throw new InfluxqlError(
      "semantic",
      "GROUP BY time() has windows of whole milliseconds: times are kept so",
    );
  const every_ms = Number(time.every_ns / 1_000_000n);
  return { every_ms, offset_ms: offsetOf(time.offset, every_ms, now, zone) };
}

function offsetOf(offset: Expr | undefined, every_ms: number, now: number, zone: string | undefined): number {
  if (offset === undefined) return 0;
  const expr = fold(offset, { now: BigInt(now) * 1_000_000n, zone });
  if (expr.kind === "duration") {
    if (expr.ns % 1_000_000n !== 0n)
      throw new InfluxqlError(
        "semantic",
        "the offset of GROUP BY time() is whole milliseconds: times are kept so",
      );
    return Number(expr.ns / 1_000_000n) % every_ms;
  }
  if (expr.kind === "time") return Number(expr.ns / 1_000_000n) % every_ms;
  const time = expr.kind === "string" && looksLikeTime(expr.value) ? parseTime(expr.value, zone) : undefined;
  if (time !== undefined) return Number(time / 1_000_000n) % every_ms;
  throw new InfluxqlError("semantic", "time dimension offset must be duration or now()");
}
