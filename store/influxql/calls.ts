import type { Fill } from "./ast.ts";
import { InfluxqlError } from "./errors.ts";
import { filled } from "./fill.ts";
import { distinctValues } from "./functions/distinct.ts";
import { integral, type Points, sequenceFunctions } from "./functions/sequence-functions.ts";
import { bestPoints } from "./functions/top.ts";
import type { CallPlan, PushedPart, RowsPlan } from "./plan.ts";
import type { Scope } from "./scope.ts";
import { limitSeries, readRows, type Reading, withoutNulls } from "./rows.ts";
import { backwards, inOrder, regroup, type Sequence } from "./sequences.ts";
import { convert, take, type Vector } from "./vectors.ts";
import { spans, windowPoints } from "./window-points.ts";
import { Windows } from "./windows.ts";

/** Points of a call, one sequence a series: the value first, then what is selected beside. */
export async function runCall(plan: CallPlan, reading: Reading): Promise<Sequence[]> {
  switch (plan.kind) {
    case "pushed":
      return await runPushed(plan, reading);
    case "windows":
      return await runWindows(plan, reading);
    case "count distinct":
      return await runCountDistinct(plan, reading);
    case "sequence":
      return await runSequence(plan, reading);
    case "integral":
    case "distinct":
      return await runOverRows(plan, reading);
    case "top":
      return await runTop(plan, reading);
    default:
      return plan satisfies never;
  }
}

async function runPushed(plan: CallPlan & { kind: "pushed" }, reading: Reading): Promise<Sequence[]> {
  const { scope, parts, fill } = plan;
  const sequences: Sequence[] = [];
  for (const part of parts) {
    const groups = limitSeries(await part.scan.groups(reading.engine), scope.tagKeys, scope);
    for (const { tags, time, columns, selected } of groups) {
      const value = columns[part.place];
      if (value === undefined) continue;
      reading.work.windows(time.length);
      reading.work.hold(time.length * 2);
      await reading.work.didSequence(time.length);
      const points: Sequence = {
        name: part.name,
        tags,
        time: timesOf(plan, time, selected?.[part.place]),
        columns: [ofPoints(convert(value, plan.type), plan.call.name, part, columns)],
      };
      const complete = withoutNulls(points);
      if (complete.time.length > 0) sequences.push(scope.isAscending ? complete : backwards(complete));
    }
  }
  return await fillWindows(inOrder(sequences, scope.isAscending), scope, fill, plan.call.name, reading);
}

function timesOf(
  { scope, time }: CallPlan & { kind: "pushed" },
  windows: Float64Array,
  selected: Float64Array | undefined,
): Float64Array {
  if (time === "of the point") return selected ?? windows;
  return scope.window === undefined ? windows.map(() => scope.range.start ?? 0) : windows;
}

/** Null where there are no points. One point has no standard deviation, which is not the same as no point. */
function ofPoints(
  value: Vector,
  name: string,
  { countPlace }: PushedPart,
  columns: readonly Vector[],
): Vector {
  if (name === "count" && value.type !== "string")
    return { ...value, values: value.values.map((count) => (count === 0 ? Number.NaN : count)) };
  const counts = countPlace === undefined ? undefined : columns[countPlace];
  if (counts === undefined || counts.type === "string" || value.type === "string") return value;
  const nan = new Uint8Array(value.values.length);
  for (const [i, number] of value.values.entries())
    nan[i] = Number(number !== number && (counts.values[i] ?? 0) > 0);
  return { ...value, nan };
}

async function fillWindows(
  sequences: readonly Sequence[],
  { window, range, isAscending }: Scope,
  fill: Fill,
  name: string,
  { work }: Reading,
): Promise<Sequence[]> {
  if (window === undefined || fill.kind === "none") return [...sequences];
  const filling = {
    fill,
    windows: new Windows(window),
    isAscending,
    from: range.from,
    to: range.to,
    isCount: name === "count",
  };
  const complete: Sequence[] = [];
  for (const sequence of sequences) {
    const [value, ...beside] = sequence.columns;
    if (value === undefined) continue;
    const { time, value: all, at } = await filled({ time: sequence.time, value }, filling, work);
    complete.push({ ...sequence, time, columns: [all, ...beside.map((column) => take(column, at))] });
  }
  return complete;
}

async function runWindows(plan: CallPlan & { kind: "windows" }, reading: Reading): Promise<Sequence[]> {
  const { call, scope, fill, rows } = plan;
  const sequences: Sequence[] = [];
  for (const sequence of await readRows(rows, reading)) {
    const reduced = await windowPoints(sequence, plan, reading.work);
    if (reduced.time.length > 0) sequences.push(reduced);
  }
  return await fillWindows(sequences, scope, fill, call.name, reading);
}

async function runCountDistinct(
  plan: CallPlan & { kind: "count distinct" },
  reading: Reading,
): Promise<Sequence[]> {
  const { scope, fill, input } = plan;
  const counted = (await runCall(input, reading)).map((sequence): Sequence => {
    const windows = [...spans(sequence.time, scope)];
    return {
      ...sequence,
      time: Float64Array.from(windows, ({ start }) => start),
      columns: [{ type: "integer", values: Float64Array.from(windows, ({ from, to }) => to - from) }],
    };
  });
  return await fillWindows(counted, scope, fill, "count", reading);
}

async function runSequence(plan: CallPlan & { kind: "sequence" }, reading: Reading): Promise<Sequence[]> {
  const { call, scope, input } = plan;
  const found = sequenceFunctions.get(call.name);
  if (found === undefined) throw new InfluxqlError("semantic", `undefined function ${call.name}()`);
  const inputs = input.kind === "rows" ? await readRows(input, reading) : await runCall(input, reading);
  const count = call.args[1]?.kind === "integer" ? Number(call.args[1].value) : 0;
  const options = { isAscending: scope.isAscending, unit_ms: unitOf(plan), count };
  const results: Sequence[] = [];
  for (const sequence of inputs) {
    const points = pointsOf(sequence);
    if (points === undefined) continue;
    if (!found.types.includes(points.value.type))
      throw new InfluxqlError("semantic", `${call.name}() does not take a ${points.value.type}`);
    await reading.work.didSequence(points.time.length);
    addPoints(results, sequence, found.of(points, options));
  }
  return results;
}

function pointsOf(sequence: Sequence): Points | undefined {
  const { time, columns } = withoutNulls({ ...sequence, columns: sequence.columns.slice(0, 1) });
  const [value] = columns;
  return value && { time, value };
}

function addPoints(results: Sequence[], { name, tags }: Sequence, { time, value }: Points): void {
  if (time.length > 0) results.push({ name, tags, time, columns: [value] });
}

/** In milliseconds: as written, else that of InfluxDB. */
function unitOf({ call, scope }: CallPlan): number {
  const [, unit] = call.args;
  if (unit?.kind === "duration") return Number(unit.ns) / 1e6;
  if (call.name === "elapsed") return 1e-6;
  if (call.name === "integral") return 1000;
  return scope.window?.every_ms ?? 1000;
}

async function runOverRows(
  plan: CallPlan & { kind: "integral" | "distinct" },
  reading: Reading,
): Promise<Sequence[]> {
  const { call, scope, rows, kind } = plan;
  const { isAscending, window, range } = scope;
  const results: Sequence[] = [];
  for (const sequence of await readRows(rows, reading)) {
    const points = pointsOf(sequence);
    if (points === undefined) continue;
    await reading.work.didSequence(points.time.length);
    const options = {
      isAscending,
      unit_ms: unitOf(plan),
      count: 0,
      windows: window && new Windows(window),
      start: range.start,
    };
    addPoints(
      results,
      sequence,
      kind === "integral" ? integral(points, options) : distinctValues(points, spans(points.time, scope)),
    );
  }
  if (call.name === "distinct") for (const { time } of results) reading.work.windows(time.length);
  return results;
}

async function runTop(plan: CallPlan & { kind: "top" }, reading: Reading): Promise<Sequence[]> {
  const { call, scope, rows, perSeries, count } = plan;
  const isTop = call.name === "top";
  const inputs =
    perSeries === undefined ? await readRows(rows, reading) : await bestOfSeries(rows, plan, reading);
  const results: Sequence[] = [];
  for (const sequence of inputs) {
    await reading.work.didSequence(sequence.time.length);
    const best = bestPoints(sequence, spans(sequence.time, scope), count, isTop);
    if (best.time.length > 0) results.push(best);
  }
  return results;
}

/** `top(field, tag, n)`: of each value of the tag one point a window. */
async function bestOfSeries(
  rows: RowsPlan,
  { call, scope }: CallPlan & { kind: "top" },
  reading: Reading,
): Promise<Sequence[]> {
  const best: CallPlan & { kind: "windows" } = {
    kind: "windows",
    call: { ...call, name: call.name === "top" ? "max" : "min" },
    scope: rows.scope,
    rows,
    type: rows.types[0] ?? "float",
    time: "of the point",
    fill: { kind: "none" },
  };
  const points = await runWindows(best, reading);
  const keep = scope.tagKeys.map((key) => rows.scope.tagKeys.indexOf(key));
  return await regroup(
    points,
    { keep, merging: "by time", isAscending: scope.isAscending, types: rows.types },
    reading.work,
  );
}
