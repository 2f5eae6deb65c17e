import { type Span, windowFunctions } from "./functions/aggregates.ts";
import type { CallPlan } from "./plan.ts";
import { percentileOf } from "./push-down.ts";
import type { Scope } from "./scope.ts";
import type { Sequence } from "./sequences.ts";
import { numberVector, take, type Vector } from "./vectors.ts";
import { Windows } from "./windows.ts";
import type { Work } from "./work.ts";

/** One point for each window of a sequence. */
export async function windowPoints(
  sequence: Sequence,
  { call, scope, type, time }: CallPlan & { kind: "windows" },
  work: Work,
): Promise<Sequence> {
  const [value, ...beside] = sequence.columns;
  const found = windowFunctions.get(call.name);
  if (value === undefined || found === undefined) return sequence;
  const times: number[] = [];
  const numbers: number[] = [];
  const strings: string[] = [];
  const picked: number[] = [];
  const argument = percentileOf(call) ?? 0;
  for (const { from, to, start } of spans(sequence.time, scope)) {
    const span: Span = { type: value.type, values: spanValues(value), time: sequence.time, from, to };
    if (work.isTurnOver(to - from)) await work.giveWay();
    if (found.kind === "selector") {
      const row = found.pick(span, argument);
      if (row < 0) continue;
      picked.push(row);
      times.push(time === "of the point" ? (sequence.time[row] ?? 0) : start);
    } else {
      const result = found.of(span);
      if (typeof result === "number") numbers.push(result);
      else strings.push(result);
      times.push(start);
    }
  }
  work.windows(times.length);
  const { name, tags } = sequence;
  const at = Int32Array.from(picked);
  if (found.kind === "selector")
    return {
      name,
      tags,
      time: Float64Array.from(times),
      columns: [value, ...beside].map((column) => take(column, at)),
    };
  const column: Vector =
    type === "string" ? { type, values: strings } : numberVector(type, Float64Array.from(numbers));
  return { name, tags, time: Float64Array.from(times), columns: [column] };
}

/** A column without nulls. */
function spanValues(vector: Vector): Span["values"] {
  return vector.type === "string" ? (vector.values as readonly string[]) : vector.values;
}

interface WindowSpan {
  readonly from: number;
  readonly to: number;
  /** The time of an aggregate: without windows the range's beginning, or 0 where it has none. */
  readonly start: number;
}

/** Rows of each window, in the order that they have. */
export function* spans(time: Float64Array, { window, range, isAscending }: Scope): Generator<WindowSpan> {
  if (window === undefined) {
    if (time.length > 0) yield { from: 0, to: time.length, start: range.start ?? 0 };
    return;
  }
  const windows = new Windows(window);
  let from = 0;
  while (from < time.length) {
    const start = windows.startOf(time[from] ?? 0);
    const end = windows.endOf(start);
    let to = from + 1;
    while (to < time.length && (isAscending ? (time[to] ?? 0) < end : (time[to] ?? 0) >= start)) to++;
    yield { from, to, start };
    from = to;
  }
}
