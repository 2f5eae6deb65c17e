import type { Schema, ValueType } from "./engine.ts";
import { type Call, fieldName, isTopOrBottom, type Ref } from "./expressions.ts";
import type { ColumnAt, ColumnOf, PushedPart, RowsPlan, SelectPlan, SourceRows } from "./plan.ts";
import type { Ready, ReadySource } from "./ready.ts";
import {
  isEngineFunction,
  mayPushCandidates,
  mayPushDown,
  percentileOf,
  sharesItsName,
} from "./push-down.ts";
import type { ScanOf, Scans, WindowedScan } from "./scans.ts";
import { keySet, type Scope } from "./scope.ts";
import { intersect, type TimeRange } from "./time-range.ts";
import { castOf, type DataType, valueType } from "./types.ts";

type Measurement = ReadySource & { readonly kind: "measurement" };

export interface SourcePlannerOptions {
  readonly schema: Schema;
  readonly scans: Scans;
  /** Nothing before or after is read, not even by functions that look back a window. */
  readonly reach: TimeRange;
  readonly pushDown: boolean;
  readonly subquery: (ready: Ready, scope: Scope) => SelectPlan;
}

/** What a step reads of its statement's sources: the engine's aggregates, or rows. */
export class SourcePlanner {
  readonly #schema: Schema;
  readonly #scans: Scans;
  readonly #reach: TimeRange;
  readonly #pushDown: boolean;
  readonly #subquery: SourcePlannerOptions["subquery"];

  constructor({ schema, scans, reach, pushDown, subquery }: SourcePlannerOptions) {
    this.#schema = schema;
    this.#scans = scans;
    this.#reach = reach;
    this.#pushDown = pushDown;
    this.#subquery = subquery;
  }

  /** The engine's part of a call, one for each source that has the field; undefined: it may not be the engine's. */
  pushed(
    call: Call,
    ref: Ref,
    ready: Ready,
    scope: Scope,
    beside: readonly Ref[],
  ): readonly PushedPart[] | undefined {
    const sources = ready.sources.filter((source) => this.#mayHave(ref, source));
    if (!sources.every((source) => this.#isPushed(mayPushDown, call, ref, source, ready, beside)))
      return undefined;
    return sources.flatMap((source) => this.#pushedPart(call, ref, source, ready, scope));
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
    const scan = this.#scans.windowed(this.#scanOf(source, scope, scope.tagKeys, ready), scope.window);
    const argument = percentileOf(call);
    const field = ref.name;
    const place = scan.add({ fn: call.name, field, ...(argument !== undefined && { argument }) });
    const countPlace = call.name === "stddev" ? scan.add({ fn: "count", field }) : undefined;
    return [{ name: source.name, scan, place, countPlace }];
  }

  /** @param call  What is then taken of the rows: a selector that the engine may take of each series beforehand. */
  rows(
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
      const rows = this.#scanRows(
        source,
        ready,
        scope,
        driver,
        beside,
        sharesItsName(source, ready.sources) ? undefined : limit,
      );
      const between = this.#between(call, driver, source, ready, scope);
      return rows.map((row) => (row.kind === "scan" ? { ...row, between } : row));
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
    source: Measurement,
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
    const scan = limit === undefined ? this.#scans.raw(of, order) : this.#scans.limited(of, order, limit);
    const columnAt = (ref: Ref): ColumnAt => {
      if (castOf(ref) !== "tag" && isAnyField(ref))
        return { place: scan.add({ kind: "field", name: ref.name }), isTag: false };
      const isTag = (castOf(ref) === "tag" || castOf(ref) === undefined) && tags.includes(ref.name);
      return isTag ? { place: scan.add({ kind: "tag", name: ref.name }), isTag } : { place: -1, isTag };
    };
    const columns = (driver === undefined ? beside : [driver, ...beside]).map(columnAt);
    return [{ kind: "scan", name: source.name, scan, columns, between: undefined }];
  }

  /** `last(a), b` of a long range needs the rows near its end only: the engine says first where they are. */
  #between(
    call: Call | undefined,
    driver: Ref | undefined,
    source: Measurement,
    ready: Ready,
    scope: Scope,
  ): { readonly scan: WindowedScan; readonly place: number } | undefined {
    if (call === undefined || driver === undefined || scope.window !== undefined) return undefined;
    if (call.name !== "first" && call.name !== "last") return undefined;
    if (!this.#isPushed(mayPushDown, call, driver, source, ready, [])) return undefined;
    const scan = this.#scans.windowed(this.#scanOf(source, scope, scope.tagKeys, ready), undefined);
    return { scan, place: scan.add({ fn: call.name, field: driver.name }) };
  }

  #candidates(
    call: Call,
    driver: Ref,
    source: Measurement,
    ready: Ready,
    scope: Scope,
    beside: readonly Ref[],
  ): SourceRows[] {
    if (!isEngineFunction(call.name)) return [];
    const tags = beside.map(({ name }) => name);
    const keys = keySet([...scope.tagKeys, ...tags]);
    const scan = this.#scans.windowed(this.#scanOf(source, scope, keys, ready), scope.window);
    const place = scan.add({ fn: call.name, field: driver.name });
    scan.wantTimes();
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

  #scanOf(source: Measurement, scope: Scope, groupBy: readonly string[], ready: Ready): ScanOf {
    const { from, to } = intersect(scope.range, this.#reach);
    return { policy: source.policy, measurement: source.name, from, to, condition: ready.condition, groupBy };
  }
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
