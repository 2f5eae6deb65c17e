import { convert, constant, nulls, slice, take, type Vector } from "./vectors.ts";
import type { Expr } from "./ast.ts";
import type { Engine, ScanGroup } from "./engine.ts";
import { rowsWhere } from "./evaluate.ts";
import { compareNames } from "./name-order.ts";
import type { ColumnOf, RowsPlan, SelectPlan, SourceRows } from "./plan.ts";
import type { Scope } from "./scope.ts";
import { castOf } from "./types.ts";
import { backwards, inOrder, regroup, rowsAt, type Sequence } from "./sequences.ts";
import { isNull } from "./vectors.ts";
import type { Work } from "./work.ts";

export interface Reading {
  readonly engine: Engine;
  readonly work: Work;
  /** A sub-query's rows, read once however often it is asked. */
  readonly select: (plan: SelectPlan) => Promise<readonly Sequence[]>;
}

/** The rows of a step's sources, each series by itself; those without a value of the driver, where there is one, left out. */
export async function readRows(plan: RowsPlan, reading: Reading): Promise<Sequence[]> {
  const { scope, sharesNames, types, driver } = plan;
  const found: Sequence[] = [];
  for (const source of plan.sources) {
    const rows = await readSource(source, plan, reading);
    for (const sequence of rows) {
      const complete = driver === undefined ? sequence : withoutNulls(sequence);
      if (complete.time.length > 0) found.push(complete);
    }
  }
  if (!sharesNames) return inOrder(found, scope.isAscending);
  const keep = scope.tagKeys.map((_, i) => i);
  return await regroup(
    found,
    { keep, merging: "by time", isAscending: scope.isAscending, types },
    reading.work,
  );
}

async function readSource(source: SourceRows, plan: RowsPlan, reading: Reading): Promise<Sequence[]> {
  switch (source.kind) {
    case "scan":
      return await readScan(source, plan, reading);
    case "candidates":
      return await readCandidates(source, plan, reading);
    case "subquery":
      return await readSubquery(source, plan, reading);
    default:
      return source satisfies never;
  }
}

async function readScan(
  { name, scan, columns, between }: SourceRows & { kind: "scan" },
  { scope, types }: RowsPlan,
  { engine, work }: Reading,
): Promise<Sequence[]> {
  const read =
    between === undefined
      ? await scan.groups(engine)
      : await scan.groupsBetween(engine, ...extent(await between.scan.groups(engine), between.place));
  const groups = limitSeries(read, scope.tagKeys, scope);
  const sequences: Sequence[] = [];
  for (const { tags, time, columns: values } of groups) {
    work.hold(time.length * (columns.length + 1));
    await work.didSequence(time.length * columns.length);
    const vectors = columns.map(({ place, isTag }, i): Vector => {
      const type = types[i] ?? "float";
      const column = values[place];
      if (column === undefined) return nulls(type, time.length);
      return isTag ? emptyAsNull(column) : convert(column, type);
    });
    sequences.push({ name, tags, time, columns: vectors });
  }
  return sequences;
}

/** The first and the last of the points that a selector picked. */
function extent(groups: readonly ScanGroup[], place: number): [first: number, last: number] {
  let first = Infinity;
  let last = -Infinity;
  for (const { selected } of groups)
    for (const time of selected?.[place] ?? []) {
      if (time < first) first = time;
      if (time > last) last = time;
    }
  return [first, last];
}

function emptyAsNull(column: Vector): Vector {
  if (column.type !== "string" || !column.values.includes("")) return column;
  return { type: "string", values: column.values.map((value) => (value === "" ? null : value)) };
}

/** The best point of each series in each window, with its tags beside it. */
async function readCandidates(
  { name, scan, place, keys, tags: beside }: SourceRows & { kind: "candidates" },
  { scope, types }: RowsPlan,
  { engine, work }: Reading,
): Promise<Sequence[]> {
  const groups = limitSeries(await scan.groups(engine), keys, scope);
  const sequences: Sequence[] = [];
  for (const { tags, time, columns, selected } of groups) {
    work.windows(time.length);
    work.hold(time.length * (types.length + 1));
    await work.didSequence(time.length);
    const value = columns[place];
    if (value === undefined) continue;
    const besideColumns = beside.map((key) => {
      const tag = tags[keys.indexOf(key)] ?? "";
      return tag === "" ? nulls("string", time.length) : constant(tag, "string", time.length);
    });
    const points = {
      name,
      tags,
      time: selected?.[place] ?? time,
      columns: [convert(value, types[0] ?? "float"), ...besideColumns],
    };
    const complete = withoutNulls(points);
    sequences.push(scope.isAscending ? complete : backwards(complete));
  }
  const keep = scope.tagKeys.map((key) => keys.indexOf(key));
  return await regroup(sequences, { keep, merging: "by time", isAscending: scope.isAscending, types }, work);
}

async function readSubquery(
  { plan: inner, condition, columns }: SourceRows & { kind: "subquery" },
  { scope, types }: RowsPlan,
  { work, select }: Reading,
): Promise<Sequence[]> {
  const sequences: Sequence[] = [];
  const tables = [...(await select(inner))];
  // Points of one window come in ascending order of their tags, also where time goes backwards.
  if (inner.calls.length > 0 && !scope.isAscending) tables.reverse();
  for (const table of tables) {
    const rows =
      condition === undefined ? table : rowsAt(table, await passing(condition, table, inner, work));
    const length = rows.time.length;
    await work.didSequence(length * columns.length);
    const vectors = columns.map((column, i) => mapped(column, types[i] ?? "float", rows, inner));
    sequences.push({ ...rows, columns: vectors });
  }
  const { tagKeys } = inner.scope;
  const keep = scope.tagKeys.map((key) => tagKeys.indexOf(key));
  // Aggregates over all of a range have no order in time; functions from point to point follow their points.
  const isUnordered =
    inner.scope.window === undefined &&
    inner.calls.length > 0 &&
    inner.calls.every(({ plan: call }) => call.kind !== "sequence");
  const merging = isUnordered ? "one after the other" : "by time";
  return await regroup(sequences, { keep, merging, isAscending: scope.isAscending, types }, work);
}

function mapped(
  column: ColumnOf,
  type: Vector["type"],
  { time, tags, columns }: Sequence,
  inner: SelectPlan,
): Vector {
  if (column === undefined) return nulls(type, time.length);
  if ("tag" in column)
    return constant(tags[inner.scope.tagKeys.indexOf(column.tag)] ?? "", "string", time.length);
  const vector = columns[column.field];
  return vector === undefined ? nulls(type, time.length) : convert(vector, type);
}

/** A sub-query's rows that the statement around wants: names are its columns, or else tags. */
async function passing(
  condition: Expr,
  { time, tags, columns }: Sequence,
  inner: SelectPlan,
  work: Work,
): Promise<Int32Array> {
  const passed: number[] = [];
  await work.inTurns(time.length, (from, to) => {
    const length = to - from;
    const found = rowsWhere(condition, {
      length,
      column(expr) {
        if (expr.kind !== "ref") return undefined;
        const whole = columns[inner.ready.columns.indexOf(expr.name)];
        if (whole === undefined)
          return constant(tags[inner.scope.tagKeys.indexOf(expr.name)] ?? "", "string", length);
        const column = slice(whole, from, to);
        const wanted = castOf(expr);
        return wanted === undefined || wanted === "field" || wanted === "tag"
          ? column
          : convert(column, wanted);
      },
    });
    for (const row of found) passed.push(from + row);
  });
  return Int32Array.from(passed);
}

/** SLIMIT and SOFFSET of a measurement, by the series of the outermost statement; an offset without a limit leaves none, as in InfluxDB. */
export function limitSeries(
  groups: readonly ScanGroup[],
  keys: readonly string[],
  { slimit, soffset, outerKeys }: Scope,
): readonly ScanGroup[] {
  if (slimit === 0 && soffset === 0) return groups;
  const keyOf = ({ tags }: ScanGroup): string => seriesKey(outerKeys, (key) => tags[keys.indexOf(key)] ?? "");
  const series = [...new Set(groups.map(keyOf))].sort(compareNames);
  const kept = new Set(series.slice(soffset, soffset + slimit));
  return groups.filter((group) => kept.has(keyOf(group)));
}

/** What InfluxDB sorts series by when it counts them: the tags that a series has, and then their values. */
function seriesKey(keys: readonly string[], valueOf: (key: string) => string): string {
  const present = keys.filter((key) => valueOf(key) !== "");
  return [...present, ...present.map(valueOf)].join("|");
}

/** Only rows whose first column has a value. */
export function withoutNulls(sequence: Sequence): Sequence {
  const [first] = sequence.columns;
  if (first === undefined) return sequence;
  const { length } = sequence.time;
  let kept = 0;
  for (let i = 0; i < length; i++) if (!isNull(first, i)) kept++;
  if (kept === length) return sequence;
  if (kept === 0)
    return {
      ...sequence,
      time: new Float64Array(0),
      columns: sequence.columns.map((column) => slice(column, 0, 0)),
    };
  const at = new Int32Array(kept);
  let next = 0;
  for (let i = 0; i < length; i++) if (!isNull(first, i)) at[next++] = i;
  return {
    ...sequence,
    time: sequence.time.length === kept ? sequence.time : timesAt(sequence.time, at),
    columns: sequence.columns.map((column) => take(column, at)),
  };
}

function timesAt(time: Float64Array, at: Int32Array): Float64Array {
  return Float64Array.from(at, (row) => time[row] ?? 0);
}
