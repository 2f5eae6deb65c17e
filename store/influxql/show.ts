import { databaseName, policies } from "../query.ts";
import type { Expr, MeasurementSource, NameOrRegex, ShowStatement } from "./ast.ts";
import type { Column, ValueType } from "./engine.ts";
import { InfluxqlError } from "./errors.ts";
import { compareNames } from "./name-order.ts";
import { matcherOf } from "./regex/index.ts";
import type { ResultSeries, StatementResult } from "./result.ts";
import { decide } from "./tag-condition.ts";
import { splitCondition } from "./time-conditions.ts";
import { Turns } from "./turns.ts";

export type TagSet = Readonly<Record<string, string>>;

/** What a store has, for SHOW. */
export interface Catalogue {
  measurements(policy: string): readonly string[];
  /** Empty for a measurement that is not there. */
  fields(policy: string, measurement: string): ReadonlyMap<string, ValueType>;
  /** The same object where two policies have the same series. */
  series(policy: string, measurement: string): Promise<MeasurementSeries | undefined>;
}

export interface MeasurementSeries {
  readonly keys: readonly string[];
  /** Of each series, in no order; a series whose tags have changed has several. */
  tagSets(): Iterable<TagSet>;
}

export interface ShowOptions {
  /** Retention policy of what names none. */
  readonly policy?: string | undefined;
  /** ms since 1970. */
  readonly now: number;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** Answers a SHOW, as InfluxDB 1.6 would: series and tags are those of all policies, fields those of one. */
export async function show(
  statement: ShowStatement,
  catalogue: Catalogue,
  options: ShowOptions,
): Promise<StatementResult> {
  return { series: await new Showing(statement, catalogue, options).series() };
}

class Showing {
  readonly #statement: ShowStatement;
  readonly #catalogue: Catalogue;
  readonly #policy: string;
  readonly #condition: Expr | undefined;
  readonly #turns: Turns;

  constructor(
    statement: ShowStatement,
    catalogue: Catalogue,
    { policy = policies[0], now, signal }: ShowOptions,
  ) {
    this.#turns = new Turns(signal);
    this.#statement = statement;
    this.#catalogue = catalogue;
    this.#policy = policy;
    const { range, rest } = splitCondition(statement.condition, { now });
    const hasTime = range.min_ns !== undefined || range.max_ns !== undefined;
    if (statement.what === "measurements" && hasTime)
      throw new InfluxqlError("semantic", "SHOW MEASUREMENTS doesn't support time in WHERE clause");
    if (rest !== undefined) expectTags(rest);
    this.#condition = rest && asTags(rest);
  }

  async series(): Promise<ResultSeries[]> {
    const { what, cardinality } = this.#statement;
    if (cardinality === true) return await this.#cardinality();
    switch (what) {
      case "databases":
        return [table("databases", { name: [databaseName] })];
      case "retention policies":
        return [retentionPolicies()];
      case "measurements": {
        const names = this.#cut(await this.#measurements());
        return names.length === 0 ? [] : [table("measurements", { name: names })];
      }
      case "tag keys":
        return await this.#each(
          (name) => this.#tagKeys(name),
          (tagKey) => ({ tagKey }),
        );
      case "tag values":
        return await this.#each(
          (name) => this.#tagValues(name),
          (pairs) => ({ key: pairs.map(([key]) => key), value: pairs.map(([, value]) => value) }),
        );
      case "field keys":
        return this.#fieldKeys();
      case "series":
        break;
    }
    const keys = this.#cut((await this.#allSeries()).toSorted(compareNames));
    return keys.length === 0 ? [] : [table(undefined, { key: keys })];
  }

  /** A table for each measurement that has some, each cut by itself. */
  async #each<T>(
    find: (measurement: string) => Promise<readonly T[]>,
    columns: (found: readonly T[]) => Readonly<Record<string, readonly string[]>>,
  ): Promise<ResultSeries[]> {
    const found: ResultSeries[] = [];
    for (const name of this.#named()) {
      const cut = this.#cut(await find(name));
      if (cut.length > 0) found.push(table(name, columns(cut)));
    }
    return found;
  }

  async #tagKeys(measurement: string): Promise<string[]> {
    const keys = new Set<string>();
    for (const series of await this.#seriesOf(measurement)) {
      if (this.#condition === undefined) for (const key of series.keys) keys.add(key);
      else for await (const tags of this.#matching(series)) for (const key in tags) keys.add(key);
    }
    return [...keys].toSorted(compareNames);
  }

  async #tagValues(measurement: string): Promise<[key: string, value: string][]> {
    const values = new Map<string, Set<string>>();
    for (const series of await this.#seriesOf(measurement)) {
      const keys = series.keys.filter((key) => this.#isWanted(key));
      if (keys.length === 0) continue;
      for await (const tags of this.#matching(series)) {
        for (const key of keys) {
          const value = tags[key];
          if (value === undefined) continue;
          const known = values.get(key);
          if (known === undefined) values.set(key, new Set([value]));
          else known.add(value);
        }
      }
    }
    return [...values]
      .toSorted(([a], [b]) => compareNames(a, b))
      .flatMap(([key, found]) =>
        [...found].toSorted(compareNames).map((value): [string, string] => [key, value]),
      );
  }

  #isWanted(key: string): boolean {
    const { keys } = this.#statement;
    if (keys === undefined) return true;
    if (keys.op === "IN") return keys.names.includes(key);
    if ("name" in keys) return (key === keys.name) === (keys.op === "=");
    return matcherOf(keys).test(key) === (keys.op === "=~");
  }

  #fieldKeys(): ResultSeries[] {
    const found: ResultSeries[] = [];
    for (const { policy, name } of this.#ofPolicy()) {
      const fields = this.#cut(
        [...this.#catalogue.fields(policy, name)].toSorted(([a], [b]) => compareNames(a, b)),
      );
      if (fields.length === 0) continue;
      const columns = { fieldKey: fields.map(([key]) => key), fieldType: fields.map(([, type]) => type) };
      found.push(table(name, columns));
    }
    return found;
  }

  /** As keys of the line protocol. */
  async #allSeries(): Promise<string[]> {
    const keys = new Set<string>();
    for (const name of this.#named()) {
      const measurement = name.replaceAll(/[, ]/g, "\\$&");
      for (const series of await this.#seriesOf(name))
        for await (const tags of this.#matching(series)) keys.add(`${measurement}${tagsText(tags)}`);
    }
    return [...keys];
  }

  async #measurements(): Promise<string[]> {
    const { measurement } = this.#statement;
    const names = this.#all().filter((name) => {
      if (measurement === undefined) return true;
      const isIt = matches(measurement.name, name);
      return measurement.op === "=" || measurement.op === "=~" ? isIt : !isIt;
    });
    const condition = this.#condition;
    if (condition === undefined) return names;
    const met: string[] = [];
    for (const name of names) {
      const values = new Map<string, Set<string>>();
      for (const series of await this.#seriesOf(name))
        for await (const tags of this.#every(series))
          for (const key in tags) values.set(key, (values.get(key) ?? new Set()).add(tags[key]!));
      if (await isMetByValues(condition, values, this.#turns)) met.push(name);
    }
    return met;
  }

  async #cardinality(): Promise<ResultSeries[]> {
    const { what, exact, sources, condition } = this.#statement;
    const isEstimate = exact !== true && sources.length === 0 && condition === undefined;
    if (what === "measurements") {
      if (isEstimate) return [counts(undefined, "cardinality estimation", this.#all().length)];
      let count = 0;
      for (const { name } of this.#ofPolicy())
        if (this.#condition === undefined || (await this.#countSeries(name)) > 0) count += 1;
      return count === 0 ? [] : [counts(undefined, "count", count)];
    }
    if (what === "series" && isEstimate) {
      let count = 0;
      for (const name of this.#all()) count += await this.#countSeries(name);
      return [counts(undefined, "cardinality estimation", count)];
    }
    const found: ResultSeries[] = [];
    for (const { policy, name } of this.#ofPolicy()) {
      const count = await this.#count(what, policy, name);
      if (count > 0) found.push(counts(name, "count", count));
    }
    return found;
  }

  async #count(what: ShowStatement["what"], policy: string, name: string): Promise<number> {
    if (what === "field keys") return this.#catalogue.fields(policy, name).size;
    if (what === "tag keys") return (await this.#tagKeys(name)).length;
    return what === "tag values" ? (await this.#tagValues(name)).length : await this.#countSeries(name);
  }

  async #countSeries(measurement: string): Promise<number> {
    let count = 0;
    for (const series of await this.#seriesOf(measurement))
      for await (const _ of this.#matching(series)) count += 1;
    return count;
  }

  async #seriesOf(measurement: string): Promise<Set<MeasurementSeries>> {
    const found = new Set<MeasurementSeries>();
    for (const policy of policies) {
      const series = await this.#catalogue.series(policy, measurement);
      if (series !== undefined) found.add(series);
    }
    return found;
  }

  async *#matching(series: MeasurementSeries): AsyncGenerator<TagSet> {
    const condition = this.#condition;
    for await (const tags of this.#every(series))
      if (condition === undefined || decide(condition, (key) => tags[key] ?? "") === true) yield tags;
  }

  /** With room for others now and then. */
  async *#every(series: MeasurementSeries): AsyncGenerator<TagSet> {
    for (const tags of series.tagSets()) {
      yield tags;
      if (this.#turns.isOver) await this.#turns.giveWay();
    }
  }

  /** Measurements of all policies. */
  #all(): string[] {
    const names = new Set(policies.flatMap((policy) => this.#catalogue.measurements(policy)));
    return [...names].toSorted(compareNames);
  }

  #named(): string[] {
    const { sources } = this.#statement;
    return this.#all().filter(
      (name) => sources.length === 0 || sources.some((source) => matches(source.name, name)),
    );
  }

  /** Measurements of the policies that are named, or of the default one. */
  #ofPolicy(): { policy: string; name: string }[] {
    const { sources } = this.#statement;
    const asked: readonly Pick<MeasurementSource, "policy" | "name">[] =
      sources.length > 0 ? sources : [{ name: { regex: "" } }];
    const found = new Map<string, { policy: string; name: string }>();
    for (const { policy = this.#policy, name: wanted } of asked) {
      if (!(policies as readonly string[]).includes(policy))
        throw new InfluxqlError("semantic", `retention policy not found: ${policy}`);
      for (const name of this.#catalogue.measurements(policy))
        if (matches(wanted, name)) found.set(`${policy} ${name}`, { policy, name });
    }
    return [...found.values()].toSorted((a, b) => compareNames(a.name, b.name));
  }

  #cut<T>(rows: readonly T[]): readonly T[] {
    const { limit, offset } = this.#statement;
    return rows.slice(offset, limit === 0 ? undefined : offset + limit);
  }
}

function matches(wanted: NameOrRegex, name: string): boolean {
  return "name" in wanted ? wanted.name === name : matcherOf(wanted).test(name);
}

/** @throws InfluxqlError as InfluxDB says it */
function expectTags(condition: Expr): void {
  if (condition.kind === "paren") expectTags(condition.expr);
  if (condition.kind !== "binary") return;
  const { op, left, right } = condition;
  if (op === "AND" || op === "OR") {
    expectTags(left);
    expectTags(right);
    return;
  }
  if (op !== "=" && op !== "!=" && op !== "=~" && op !== "!~")
    throw new InfluxqlError("semantic", "invalid tag comparison operator");
  if (left.kind !== "ref") throw new InfluxqlError("semantic", `left side of '${op}' must be a tag key`);
  const isText = op === "=" || op === "!=" ? right.kind === "string" : right.kind === "regex";
  if (!isText)
    throw new InfluxqlError(
      "semantic",
      `right side of '${op}' must be a ${op === "=" || op === "!=" ? "tag value string" : "regular expression"}`,
    );
}

function asTags(condition: Expr): Expr {
  if (condition.kind === "ref") return { ...condition, cast: "tag" };
  if (condition.kind === "paren") return asTags(condition.expr);
  if (condition.kind !== "binary") return condition;
  return { ...condition, left: asTags(condition.left), right: asTags(condition.right) };
}

/**
 * Of a measurement as a whole, given all values of its tags: what is equal, one series must have, and what is not, none may; a tag
 * that no series has is neither.
 */
async function isMetByValues(
  condition: Expr,
  values: ReadonlyMap<string, ReadonlySet<string>>,
  turns: Turns,
): Promise<boolean> {
  if (condition.kind === "boolean") return condition.value;
  if (condition.kind !== "binary") return false;
  const { op, left, right } = condition;
  if (op === "AND" || op === "OR") {
    const isMet = await isMetByValues(left, values, turns);
    return isMet === (op === "OR") ? isMet : await isMetByValues(right, values, turns);
  }
  const found = left.kind === "ref" ? values.get(left.name) : undefined;
  if (found === undefined) return false;
  let isOne = right.kind === "string" && found.has(right.value);
  if (right.kind === "regex") {
    const matcher = matcherOf(right);
    for (const value of found) {
      isOne = matcher.test(value);
      if (isOne) break;
      if (turns.isOver) await turns.giveWay();
    }
  }
  return isOne === (op === "=" || op === "=~");
}

function tagsText(tags: TagSet): string {
  return Object.keys(tags)
    .toSorted(compareNames)
    .map((key) => `,${escaped(key)}=${escaped(tags[key]!)}`)
    .join("");
}

function escaped(text: string): string {
  return text.replaceAll(/[,= ]/g, "\\$&");
}

function table(name: string | undefined, columns: Readonly<Record<string, readonly string[]>>): ResultSeries {
  const values = Object.values(columns).map((texts): Column => ({ type: "string", values: texts }));
  return {
    ...(name !== undefined && { name }),
    columns: Object.keys(columns),
    values,
    rows: Object.values(columns)[0]?.length ?? 0,
  };
}

function counts(name: string | undefined, column: string, count: number): ResultSeries {
  return {
    ...(name !== undefined && { name }),
    columns: [column],
    values: [{ type: "integer", values: Float64Array.of(count) }],
    rows: 1,
  };
}

/** Kept as InfluxDB's own words for what has no end; how long rows are kept is the platform's configuration. */
function retentionPolicies(): ResultSeries {
  const { columns, values, rows } = table(undefined, {
    name: policies,
    duration: policies.map(() => "0s"),
    shardGroupDuration: policies.map(() => "168h0m0s"),
  });
  return {
    columns: [...columns, "replicaN", "default"],
    values: [
      ...values,
      { type: "integer", values: new Float64Array(policies.length).fill(1) },
      { type: "boolean", values: Float64Array.from(policies, (_, i) => Number(i === 0)) },
    ],
    rows,
  };
}
