import type { Cast, Dimension, Expr, SelectField } from "./ast.ts";
import type { Schema } from "./engine.ts";
import { InfluxqlError } from "./errors.ts";
import { type Call, contains, fieldName, isTopOrBottom, mapExpr, type Ref } from "./expressions.ts";
import { compareNames } from "./name-order.ts";
import type { Ready, ReadySource } from "./ready.ts";
import { compileRegex } from "./regex/index.ts";
import { betterType, type DataType, typeOf } from "./types.ts";

/** Which calls a `*` or pattern in them takes in, beside numbers. */
const alsoStrings = new Set(["count", "first", "last", "distinct", "elapsed", "mode"]);
const alsoBooleans = new Set([...alsoStrings, "min", "max"]);

/** The names of a statement's sources. */
export class Names {
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
