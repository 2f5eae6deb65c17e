import type { Expr, Fill } from "./ast.ts";
import type { Schema, ValueType, Window } from "./engine.ts";
import { InfluxqlError } from "./errors.ts";
import { type Call, childrenOf, fieldName, isTopOrBottom, type Ref, refsIn } from "./expressions.ts";
import { windowFunctions } from "./functions/aggregates.ts";
import { mathFunctions } from "./functions/math.ts";
import { sequenceFunctions } from "./functions/sequence-functions.ts";
import { compareNames } from "./name-order.ts";
import {
  castOf,
  type Interval,
  type Ready,
  type ReadySource,
  type Surroundings,
  valueType,
} from "./prepare.ts";
import { print } from "./print.ts";
import {
  isEngineFunction,
  mayPushCandidates,
  mayPushDown,
  percentileOf,
  sharesItsName,
} from "./push-down.ts";
import { type RawScan, type ScanOf, Scans, type WindowedScan } from "./scans.ts";
import { intersect, minTime, maxTime, type TimeRange } from "./time-range.ts";
import { type DataType, typeOf } from "./types.ts";
import type { Work } from "./work.ts";

/** A statement as steps over scans. */
export interface SelectPlan {
  readonly ready: Ready;
  readonly scope: Scope;
  /** What fills gaps of calls, and nulls beside them. */
  readonly fill: Fill;
  readonly calls: readonly PlannedCall[];
  /** Fields and tags outside of calls, as columns after the call's own. */
  readonly beside: readonly Ref[];
  /** Of a statement without calls; undefined too where nothing is known that it asks for. */
  readonly rows: RowsPlan | undefined;
}

export interface PlannedCall {
  readonly key: string;
  readonly plan: CallPlan;
}

/** Of a step: where it is in time and what its series are. */
export interface Scope {
  /** In byte order. */
  readonly tagKeys: readonly string[];
  /** Those of the outermost statement. */
  readonly outerKeys: readonly string[];
  readonly range: TimeRange;
  readonly window: Window | undefined;
  readonly isAscending: boolean;
  readonly slimit: number;
  readonly soffset: number;
}

export type CallPlan = { readonly call: Call; readonly scope: Scope } & (
  | {
      readonly kind: "pushed";
      readonly parts: readonly PushedPart[];
      readonly type: ValueType;
      readonly time: PointTime;
      readonly fill: Fill;
    }
  | {
      readonly kind: "windows";
      readonly rows: RowsPlan;
      readonly type: ValueType;
      readonly time: PointTime;
      readonly fill: Fill;
    }
  | { readonly kind: "count distinct"; readonly input: CallPlan; readonly fill: Fill }
  | { readonly kind: "sequence"; readonly input: CallPlan | RowsPlan }
  | { readonly kind: "integral" | "distinct"; readonly rows: RowsPlan }
  | {
      readonly kind: "top";
      readonly rows: RowsPlan;
      readonly perSeries: Scope | undefined;
      readonly count: number;
    }
);

/** A selector alone without windows keeps its point's time. */
export type PointTime = "of the point" | "of the window";

export interface PushedPart {
  readonly name: string;
  readonly scan: WindowedScan;
  readonly place: number;
  /** Of stddev: the count, which tells one value from none. */
  readonly countPlace: number | undefined;
}

/** Points of a field, with what is asked beside it; without a field the rows themselves. */
export interface RowsPlan {
  readonly kind: "rows";
  readonly scope: Scope;
  readonly driver: Ref | undefined;
  readonly beside: readonly Ref[];
  readonly sources: readonly SourceRows[];
  /** Of the columns: the driver's first. */
  readonly types: readonly ValueType[];
  readonly sharesNames: boolean;
}

export type SourceRows =
  | {
      readonly kind: "scan";
      readonly name: string;
      readonly scan: RawScan;
      readonly columns: readonly ColumnAt[];
    }
  /** The best points of each series, of which the call then takes its own. */
  | {
      readonly kind: "candidates";
      readonly name: string;
      readonly scan: WindowedScan;
      readonly place: number;
      readonly keys: readonly string[];
      readonly tags: readonly string[];
    }
  | {
      readonly kind: "subquery";
      readonly plan: SelectPlan;
      readonly condition: Expr | undefined;
      readonly columns: readonly ColumnOf[];
    };

/** Of a scan's answer; -1: the source has no such column. */
export type ColumnAt = { readonly place: number; readonly isTag: boolean };
export type ColumnOf = { readonly field: number } | { readonly tag: string } | undefined;

export class Planner {
  readonly scans: Scans;
  readonly #schema: Schema;
  readonly #now: number;
  readonly #work: Work;
  readonly #pushDown: boolean;
  /** Nothing before or after is read, not even by functions that look back a window. */
  #reach: TimeRange | undefined;
  /** Calls over the same sub-query, in the same range, share its rows. */
  readonly #subqueries = new Map<Ready, { readonly scope: string; readonly plan: SelectPlan }[]>();

  constructor({ schema, now }: Surroundings, work: Work, pushDown: boolean) {
    this.scans = new Scans(schema);
    this.#schema = schema;
    this.#now = now;
    this.#work = work;
    this.#pushDown = pushDown;
  }

  statement(ready: Ready): SelectPlan {
    const tagKeys = keySet(ready.groupBy);
    const range = untilNow(ready.range, ready.interval, this.#now);
    this.#reach = reachOf(ready, range);
    const window = windowOf(ready.interval, ready.zone);
    return this.#select(
      ready,
      {
        tagKeys,
        outerKeys: tagKeys,
        range,
        window,
        isAscending: ready.order === "asc",
        slimit: ready.slimit,
        soffset: ready.soffset,
      },
      ready.fill,
    );
  }

  #subquery(ready: Ready, outer: Scope): SelectPlan {
    const range = untilNow(intersect(ready.range, outer.range), ready.interval, this.#now);
    const scope: Scope = {
      tagKeys: keySet([...ready.groupBy, ...outer.tagKeys]),
      outerKeys: outer.outerKeys,
      range,
      window: windowOf(ready.interval ?? intervalOf(outer.window), ready.zone),
      isAscending: outer.isAscending,
      slimit: ready.slimit + outer.slimit,
      soffset: ready.soffset + outer.soffset,
    };
    const known = this.#subqueries.get(ready) ?? [];
    const key = JSON.stringify(scope);
    const same = known.find((planned) => planned.scope === key);
    if (same !== undefined) return same.plan;
    // Nulls of windows say nothing to the statement around.
    const isNull = ready.fill.kind === "default" || ready.fill.kind === "null";
    const plan = this.#select(ready, scope, isNull ? { kind: "none" } : ready.fill);
    this.#subqueries.set(ready, [...known, { scope: key, plan }]);
    return plan;
  }

  #select(ready: Ready, scope: Scope, fill: Fill): SelectPlan {
    const { calls, refs } = partsOf(ready);
    const plan = { ready, scope, fill, beside: refs };
    if (calls.length === 0) {
      const isKnown = refs.some((ref) => ref.cast !== undefined);
      const limit = ready.limit === 0 ? undefined : ready.limit + ready.offset;
      const rows = isKnown ? this.#rows(ready, scope, undefined, refs, limit) : undefined;
      return { ...plan, calls: [], rows };
    }
    const [only] = calls;
    const isSelector = calls.length === 1 && only !== undefined && selectorNames.has(only.name);
    const caller: Caller = { ready, fill, beside: refs, isSelector };
    const planned = calls
      .filter((call) => typeOf(call) !== undefined)
      .map((call) => ({ key: print(call), plan: this.#call(call, scope, caller) }));
    return { ...plan, calls: planned, rows: undefined };
  }

  #call(call: Call, scope: Scope, caller: Caller): CallPlan {
    const [argument] = call.args;
    if (argument === undefined)
      throw new InfluxqlError("semantic", `expected field argument in ${call.name}()`);
    const own = { call, scope };
    if (isTopOrBottom(call)) return this.#top(call, scope, caller);
    if (call.name === "distinct" || call.name === "integral") {
      const ref = fieldOf(call);
      if (call.name === "integral") checkType(call, ref, ["float", "integer"]);
      return { ...own, kind: call.name, rows: this.#rows(caller.ready, scope, ref, caller.beside) };
    }
    const sequence = sequenceFunctions.get(call.name);
    if (sequence !== undefined) {
      const wider = call.name === "cumulative_sum" ? scope : lookingBack(scope);
      if (argument.kind === "call")
        return {
          ...own,
          kind: "sequence",
          input: this.#call(argument, wider, { ...caller, isSelector: false }),
        };
      checkType(call, fieldOf(call), sequence.types);
      return {
        ...own,
        kind: "sequence",
        input: this.#rows(caller.ready, wider, fieldOf(call), caller.beside),
      };
    }
    this.#checkWindows(scope, caller.fill);
    if (mathFunctions.has(call.name)) throw new InfluxqlError("semantic", `unsupported call: ${call.name}`);
    if (argument.kind === "call") {
      if (call.name !== "count" || argument.name !== "distinct")
        throw new InfluxqlError("semantic", `expected field argument in ${call.name}()`);
      return {
        ...own,
        kind: "count distinct",
        input: this.#call(argument, scope, caller),
        fill: caller.fill,
      };
    }
    return this.#window(call, scope, caller);
  }

  /** A function of the points of a window: by the engine where it may. */
  #window(call: Call, scope: Scope, { ready, fill, beside, isSelector }: Caller): CallPlan {
    const found = windowFunctions.get(call.name);
    if (found === undefined) throw new InfluxqlError("semantic", `unsupported call: ${call.name}`);
    const ref = fieldOf(call);
    checkType(call, ref, found.types);
    const time: PointTime = isSelector && scope.window === undefined ? "of the point" : "of the window";
    const type = valueType(typeOf(call));
    const own = { call, scope, type, time, fill };
    const sources = ready.sources.filter((source) => this.#mayHave(ref, source));
    if (sources.every((source) => this.#isPushed(mayPushDown, call, ref, source, ready, beside))) {
      const parts = sources.flatMap((source) => this.#pushedPart(call, ref, source, ready, scope));
      return { ...own, kind: "pushed", parts };
    }
    const rows = this.#rows(ready, scope, ref, beside, undefined, call);
    return { ...own, kind: "windows", rows };
  }

  /** A measurement that lacks a field has no points of it. */
  #mayHave(ref: Ref, source: ReadySource): boolean {
    if (source.kind === "subquery") return true;
    return isConvertible(this.#schema.fields(source.policy, source.name).get(ref.name), castOf(ref));
  }

  #isPushed(
    rule: typeof mayPushDown,
    call: Call,
    ref: Ref,
    source: ReadySource,
    { sources }: Ready,
    beside: readonly Ref[],
  ): boolean {
    const fieldType =
      source.kind === "measurement"
        ? this.#schema.fields(source.policy, source.name).get(ref.name)
        : undefined;
    const where = { source, sources, wanted: castOf(ref), beside: beside.map(castOf) };
    return this.#pushDown && rule(call, fieldType, where);
  }

  #pushedPart(call: Call, ref: Ref, source: ReadySource, ready: Ready, scope: Scope): PushedPart[] {
    if (source.kind !== "measurement" || !isEngineFunction(call.name)) return [];
    const scan = this.scans.windowed(this.#scanOf(source, scope, scope.tagKeys, ready), scope.window);
    const argument = percentileOf(call);
    const field = ref.name;
    const place = scan.add({ fn: call.name, field, ...(argument !== undefined && { argument }) });
    const countPlace = call.name === "stddev" ? scan.add({ fn: "count", field }) : undefined;
    return [{ name: source.name, scan, place, countPlace }];
  }

  #top(call: Call, scope: Scope, { ready, beside }: Caller): CallPlan {
    const ref = fieldOf(call);
    checkType(call, ref, ["float", "integer"]);
    const count = call.args.at(-1);
    const tags = call.args.slice(1, -1).filter((argument) => argument.kind === "ref");
    // With tags: first the best point of each of their values, then the best of those.
    const perSeries =
      tags.length === 0
        ? undefined
        : { ...scope, tagKeys: keySet([...scope.tagKeys, ...tags.map(({ name }) => name)]) };
    const best: Call = { kind: "call", name: call.name === "top" ? "max" : "min", args: [ref], at: call.at };
    const rows = this.#rows(ready, perSeries ?? scope, ref, beside, undefined, perSeries && best);
    return {
      call,
      scope,
      kind: "top",
      rows,
      perSeries,
      count: count?.kind === "integer" ? Number(count.value) : 0,
    };
  }

  /** @param call  What is then taken of the rows: a selector that the engine may take of each series beforehand. */
  #rows(
    ready: Ready,
    scope: Scope,
    driver: Ref | undefined,
    beside: readonly Ref[],
    limit?: number,
    call?: Call,
  ): RowsPlan {
    const refs = driver === undefined ? beside : [driver, ...beside];
    const sources = ready.sources.flatMap((source): SourceRows[] => {
      if (source.kind === "subquery") return this.#subqueryRows(source.select, ready, scope, driver, beside);
      if (
        call !== undefined &&
        driver !== undefined &&
        this.#isPushed(mayPushCandidates, call, driver, source, ready, beside)
      )
        return this.#candidates(call, driver, source, ready, scope, beside);
      return this.#scanRows(
        source,
        ready,
        scope,
        driver,
        beside,
        sharesItsName(source, ready.sources) ? undefined : limit,
      );
    });
    return {
      kind: "rows",
      scope,
      driver,
      beside,
      sources,
      types: refs.map((ref) => valueType(castOf(ref))),
      sharesNames: ready.sources.some((source) => sharesItsName(source, ready.sources)),
    };
  }

  #scanRows(
    source: ReadySource & { kind: "measurement" },
    ready: Ready,
    scope: Scope,
    driver: Ref | undefined,
    beside: readonly Ref[],
    limit: number | undefined,
  ): SourceRows[] {
    const fields = this.#schema.fields(source.policy, source.name);
    const tags = this.#schema.tagKeys(source.policy, source.name);
    if (driver !== undefined && !isConvertible(fields.get(driver.name), castOf(driver))) return [];
    const of = this.#scanOf(source, scope, scope.tagKeys, ready);
    const order = scope.isAscending ? "asc" : "desc";
    const isAnyField = (ref: Ref): boolean => isConvertible(fields.get(ref.name), castOf(ref));
    if (driver === undefined && !beside.some(isAnyField)) return [];
    const scan = limit === undefined ? this.scans.raw(of, order) : this.scans.limited(of, order, limit);
    const columnAt = (ref: Ref): ColumnAt => {
      if (castOf(ref) !== "tag" && isAnyField(ref))
        return { place: scan.add({ kind: "field", name: ref.name }), isTag: false };
      const isTag = (castOf(ref) === "tag" || castOf(ref) === undefined) && tags.includes(ref.name);
      return isTag ? { place: scan.add({ kind: "tag", name: ref.name }), isTag } : { place: -1, isTag };
    };
    const columns = (driver === undefined ? beside : [driver, ...beside]).map(columnAt);
    return [{ kind: "scan", name: source.name, scan, columns }];
  }

  #candidates(
    call: Call,
    driver: Ref,
    source: ReadySource & { kind: "measurement" },
    ready: Ready,
    scope: Scope,
    beside: readonly Ref[],
  ): SourceRows[] {
    if (!isEngineFunction(call.name)) return [];
    const tags = beside.map(({ name }) => name);
    const keys = keySet([...scope.tagKeys, ...tags]);
    const scan = this.scans.windowed(this.#scanOf(source, scope, keys, ready), scope.window);
    const place = scan.add({ fn: call.name, field: driver.name });
    return [{ kind: "candidates", name: source.name, scan, place, keys, tags }];
  }

  #subqueryRows(
    select: Ready,
    ready: Ready,
    scope: Scope,
    driver: Ref | undefined,
    beside: readonly Ref[],
  ): SourceRows[] {
    const driverColumn = driver === undefined ? undefined : columnOf(select, driver.name);
    if (driver !== undefined && driverColumn === undefined) return [];
    const plan = this.#subquery(select, scope);
    const columns = beside.map(({ name }) => columnOf(select, name));
    return [
      {
        kind: "subquery",
        plan,
        condition: ready.condition,
        columns: driver === undefined ? columns : [driverColumn, ...columns],
      },
    ];
  }

  #scanOf(
    source: ReadySource & { kind: "measurement" },
    scope: Scope,
    groupBy: readonly string[],
    ready: Ready,
  ): ScanOf {
    const { from, to } = this.#reach === undefined ? scope.range : intersect(scope.range, this.#reach);
    return { policy: source.policy, measurement: source.name, from, to, condition: ready.condition, groupBy };
  }

  /** A fill makes every window of the range. */
  #checkWindows({ range, window }: Scope, fill: Fill): void {
    if (window === undefined || fill.kind === "none" || range.from <= minTime) return;
    this.#work.mayHaveWindows((range.to - range.from) / window.every_ms);
  }
}

interface Caller {
  readonly ready: Ready;
  readonly fill: Fill;
  readonly beside: readonly Ref[];
  readonly isSelector: boolean;
}

const selectorNames = new Set(["first", "last", "min", "max", "percentile", "top", "bottom"]);

/** The calls of a statement, and what stands outside of them, each once. */
function partsOf({ fields }: Ready): { calls: Call[]; refs: Ref[] } {
  const calls = new Map<string, Call>();
  const refs = new Map<string, Ref>();
  const visit = (expr: Expr): void => {
    if (expr.kind === "call" && !mathFunctions.has(expr.name)) {
      calls.set(print(expr), expr);
      return;
    }
    if (expr.kind === "ref") refs.set(print(expr), expr);
    for (const child of childrenOf(expr)) visit(child);
  };
  for (const { expr } of fields) {
    visit(expr);
    if (isTopOrBottom(expr))
      for (const argument of expr.args.slice(1, -1))
        for (const ref of refsIn(argument)) refs.set(print(ref), ref);
  }
  return {
    calls: [...calls.values()],
    refs: [...refs.values()].sort((a, b) => compareNames(a.name, b.name)),
  };
}

function fieldOf(call: Call): Ref {
  const [argument] = call.args;
  if (argument?.kind !== "ref")
    throw new InfluxqlError("semantic", `expected field argument in ${call.name}()`);
  return argument;
}

function checkType(call: Call, ref: Ref, types: readonly ValueType[]): void {
  const type = castOf(ref);
  if (type !== undefined && type !== "field" && !types.includes(valueType(type)))
    throw new InfluxqlError("semantic", `${call.name}() does not take ${ref.name}, which is a ${type}`);
}

/** Numbers to numbers; a field of another type is as if it were not there. */
function isConvertible(type: ValueType | undefined, wanted: DataType): boolean {
  if (type === undefined || wanted === undefined || wanted === "tag") return false;
  return type === wanted || wanted === "field" || (isNumeric(type) && isNumeric(wanted));
}

function isNumeric(type: DataType): boolean {
  return type === "float" || type === "integer";
}

/** Where a sub-query has a name: among its columns, or the tags that it groups by. */
function columnOf(select: Ready, name: string): ColumnOf {
  let before = 0;
  for (const [i, field] of select.fields.entries()) {
    if (fieldName(field) === name) return { field: i + before };
    if (!isTopOrBottom(field.expr)) continue;
    const beside = field.expr.args.slice(1, -1);
    const place = beside.findIndex((argument) => argument.kind === "ref" && argument.name === name);
    if (place >= 0) return { field: i + before + place + 1 };
    before += beside.length;
  }
  return select.groupBy.includes(name) ? { tag: name } : undefined;
}

function keySet(names: readonly string[]): string[] {
  return [...new Set(names)].sort(compareNames);
}

function windowOf(interval: Interval | undefined, zone: string | undefined): Window | undefined {
  if (interval === undefined) return undefined;
  return zone === undefined ? interval : { ...interval, zone };
}

function intervalOf(window: Window | undefined): Interval | undefined {
  return window && { every_ms: window.every_ms, offset_ms: window.offset_ms };
}

/** Windows without an end go on until now. */
function untilNow(range: TimeRange, interval: Interval | undefined, now: number): TimeRange {
  return interval !== undefined && range.to > maxTime ? { ...range, to: now + 1 } : range;
}

/** Functions from point to point begin with a point before the range, so that its first window has an answer. */
function lookingBack(scope: Scope): Scope {
  const { range, window, isAscending } = scope;
  if (window === undefined) return scope;
  const length = window.every_ms;
  if (!isAscending) return { ...scope, range: { ...range, to: range.to + length } };
  if (range.from <= minTime) return scope;
  return { ...scope, range: { ...range, from: range.from - length } };
}

/** InfluxDB reads as many windows before the range as the outermost statement's functions need, and no more for those within. */
function reachOf({ fields, interval, order }: Ready, range: TimeRange): TimeRange {
  if (interval === undefined) return range;
  const length = Math.max(0, ...fields.map(({ expr }) => windowsBack(expr))) * interval.every_ms;
  if (order === "desc") return { ...range, to: range.to + length };
  return range.from <= minTime ? range : { ...range, from: range.from - length };
}

function windowsBack(expr: Expr): number {
  const inner = Math.max(0, ...childrenOf(expr).map(windowsBack));
  if (expr.kind !== "call" || !sequenceFunctions.has(expr.name)) return inner;
  const [, count] = expr.args;
  return Math.max(
    inner,
    expr.name === "moving_average" && count?.kind === "integer" ? Number(count.value) : 1,
  );
}
