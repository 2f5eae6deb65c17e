import { databaseName, policies } from "../query.ts";
import type { Cast, Dimension, Expr, Fill, SelectField, SelectStatement, Source } from "./ast.ts";
import { checkCondition, checkFields } from "./check.ts";
import { columnNames } from "./columns.ts";
import type { Schema, ValueType } from "./engine.ts";
import { InfluxqlError } from "./errors.ts";
import { type Call, contains, fieldName, isTopOrBottom, mapExpr, type Ref } from "./expressions.ts";
import { fold, withoutTimes } from "./fold.ts";
import { compareNames } from "./name-order.ts";
import { compileRegex } from "./regex/index.ts";
import { splitTime, type TimeRange } from "./time-range.ts";
import { looksLikeTime, parseTime } from "./times.ts";
import { betterType, type DataType, typeOf, typeOfCast } from "./types.ts";

/** A statement made ready: sources found, `*` and patterns written out, each reference with its type as its cast, times apart from the condition. */
export interface Ready {
  readonly fields: readonly SelectField[];
  /** What each column shows: the fields, and what `top` and `bottom` show beside theirs. */
  readonly outputs: readonly Expr[];
  /** Names of the columns, without the time. */
  readonly columns: readonly string[];
  readonly timeColumn: string;
  readonly sources: readonly ReadySource[];
  readonly condition: Expr | undefined;
  readonly range: TimeRange;
  readonly interval: Interval | undefined;
  /** Tag keys, as written. */
  readonly groupBy: readonly string[];
  readonly fill: Fill;
  readonly order: "asc" | "desc";
  readonly limit: number;
  readonly offset: number;
  readonly slimit: number;
  readonly soffset: number;
  readonly zone: string | undefined;
}

export type ReadySource =
  | { readonly kind: "measurement"; readonly policy: string; readonly name: string }
  | { readonly kind: "subquery"; readonly select: Ready };

export interface Interval {
  readonly every_ms: number;
  readonly offset_ms: number;
}

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

/** Which calls a `*` or pattern in them takes in, beside numbers. */
const alsoStrings = new Set(["count", "first", "last", "distinct", "elapsed", "mode"]);
const alsoBooleans = new Set([...alsoStrings, "min", "max"]);

/** The names of a statement's sources. */
class Names {
  readonly #schema: Schema;
  readonly #sources: readonly ReadySource[];

  constructor(schema: Schema, sources: readonly ReadySource[]) {
    this.#schema = schema;
    this.#sources = sources;
  }

  typed(expr: Expr): Expr {
    return mapExpr(expr, (part) => (part.kind === "ref" ? this.#typedRef(part) : part));
  }

  #typedRef(ref: Ref): Ref {
    if (ref.cast !== undefined && ref.cast !== "field") return ref;
    const found = this.#typeOf(ref.name);
    if (found === "tag" && ref.cast === "field") return ref;
    return found === undefined
      ? { kind: "ref", name: ref.name, at: ref.at }
      : { ...ref, cast: found satisfies Cast };
  }

  #typeOf(name: string): DataType {
    return this.#sources
      .map((source): DataType => {
        if (source.kind === "measurement") {
          const type = this.#schema.fields(source.policy, source.name).get(name);
          return (
            type ?? (this.#schema.tagKeys(source.policy, source.name).includes(name) ? "tag" : undefined)
          );
        }
        return typeOfColumn(source.select, name);
      })
      .reduce(betterType, undefined);
  }

  /** `*` and patterns in the select list and in calls. */
  expand(fields: readonly SelectField[], dimensions: readonly Dimension[]): SelectField[] {
    const patterns = fields.some(({ expr }) => contains(expr, "wildcard") || contains(expr, "regex"));
    if (!patterns) return [...fields];
    const found = this.#expandable(dimensions);
    return fields.flatMap((field): SelectField[] => {
      const { expr } = field;
      if (expr.kind === "wildcard")
        return found
          .filter(({ type }) => expr.of === undefined || (expr.of === "tag") === (type === "tag"))
          .map((column) => ({ expr: reference(column) }));
      if (expr.kind === "regex") {
        const regex = compileRegex(expr.regex);
        return found.filter(({ name }) => regex.test(name)).map((column) => ({ expr: reference(column) }));
      }
      if (expr.kind === "call") return expandCall(field, expr, found);
      if (expr.kind === "binary" && contains(expr, "wildcard"))
        throw new InfluxqlError("semantic", "unsupported expression with wildcard");
      if (expr.kind === "binary" && contains(expr, "regex"))
        throw new InfluxqlError("semantic", "unsupported expression with regex field");
      return [field];
    });
  }

  /** Fields, and tags that the statement does not group by. */
  #expandable(dimensions: readonly Dimension[]): Named[] {
    const { fields, tags } = this.#all();
    if (fields.size === 0) return [];
    const hasPatterns = dimensions.some(({ kind }) => kind === "wildcard" || kind === "regex");
    const grouped = new Set(dimensions.map((dimension) => (dimension.kind === "tag" ? dimension.name : "")));
    const columns: Named[] = [...fields].map(([name, type]) => ({ name, type }));
    if (!hasPatterns) for (const name of tags) if (!grouped.has(name)) columns.push({ name, type: "tag" });
    return columns.sort(
      (a, b) => compareNames(a.name, b.name) || Number(a.type === "tag") - Number(b.type === "tag"),
    );
  }

  expandDimensions(dimensions: readonly Dimension[]): string[] {
    const all = (): string[] => [...this.#all().tags].sort(compareNames);
    return dimensions.flatMap((dimension) => {
      switch (dimension.kind) {
        case "time":
          return [];
        case "tag":
          return [dimension.name];
        case "wildcard":
          return all();
        case "regex": {
          const regex = compileRegex(dimension.regex);
          return all().filter((name) => regex.test(name));
        }
        default:
          return dimension satisfies never;
      }
    });
  }

  #all(): { fields: Map<string, DataType>; tags: Set<string> } {
    const fields = new Map<string, DataType>();
    const tags = new Set<string>();
    const add = (name: string, type: DataType): void => {
      fields.set(name, betterType(fields.get(name), type));
    };
    for (const source of this.#sources) {
      if (source.kind === "measurement") {
        for (const [name, type] of this.#schema.fields(source.policy, source.name)) add(name, type);
        for (const name of this.#schema.tagKeys(source.policy, source.name)) tags.add(name);
      } else {
        for (const field of source.select.fields) add(fieldName(field), typeOf(field.expr));
        for (const name of source.select.groupBy) tags.add(name);
      }
    }
    return { fields, tags };
  }
}

interface Named {
  readonly name: string;
  readonly type: DataType;
}

function reference({ name, type }: Named): Ref {
  return type === undefined ? { kind: "ref", name, at: 0 } : { kind: "ref", name, cast: type, at: 0 };
}

/** `mean(*)`: one column for each field, `mean_flow`. */
function expandCall(field: SelectField, call: Call, found: readonly Named[]): SelectField[] {
  const innermost = innermostCall(call);
  const [argument] = innermost.args;
  if (argument?.kind !== "wildcard" && argument?.kind !== "regex") return [field];
  if (argument.kind === "wildcard" && argument.of === "tag")
    throw new InfluxqlError("semantic", `unable to use tag wildcard in ${innermost.name}()`);
  const types = new Set<DataType>(["float", "integer"]);
  if (alsoStrings.has(innermost.name)) types.add("string");
  if (alsoBooleans.has(innermost.name)) types.add("boolean");
  const regex = argument.kind === "regex" ? compileRegex(argument.regex) : undefined;
  return found
    .filter(({ name, type }) => types.has(type) && regex?.test(name) !== false)
    .map((column) => ({
      expr: withInnermost(call, reference(column)),
      alias: `${fieldName(field)}_${column.name}`,
    }));
}

function innermostCall(call: Call): Call {
  const [first] = call.args;
  return first?.kind === "call" ? innermostCall(first) : call;
}

function withInnermost(call: Call, argument: Expr): Call {
  const [first, ...rest] = call.args;
  return { ...call, args: [first?.kind === "call" ? withInnermost(first, argument) : argument, ...rest] };
}

/** What a sub-query's column of this name holds; the tags that it groups by have their names too. */
function typeOfColumn(select: Ready, name: string): DataType {
  for (const field of select.fields) {
    if (fieldName(field) === name) return typeOf(field.expr);
    if (isTopOrBottom(field.expr)) {
      const argument = field.expr.args
        .slice(1, -1)
        .find((candidate) => candidate.kind === "ref" && candidate.name === name);
      if (argument !== undefined) return typeOf(argument);
    }
  }
  return select.groupBy.includes(name) ? "tag" : undefined;
}

/** Of a value that is kept in a column. */
export function valueType(type: DataType): ValueType {
  return type === undefined || type === "tag" || type === "field" ? "string" : type;
}

export function castOf(ref: Ref): DataType {
  return typeOfCast(ref.cast);
}
