import type { ValueType } from "./engine.ts";
import { compareSequences, inOrder, type Sequence } from "./sequences.ts";
import { take, type Vector } from "./vectors.ts";

/**
 * The points of a statement's calls beside one another: points of the same series and time in one row, null where a call has none. Two points of one
 * call at the same time are two rows.
 */
export function align(
  calls: readonly (readonly Sequence[])[],
  types: readonly ValueType[],
  isAscending: boolean,
): Sequence[] {
  const [only] = calls;
  if (only !== undefined && calls.length === 1) return [...only];
  if (only !== undefined && calls.every((sequences) => haveSameSeries(sequences, only)))
    return only.map((_, i) =>
      alignSeries(
        calls.map((sequences) => sequences[i]),
        types,
        isAscending,
      ),
    );
  const series = new Map<string, (Sequence | undefined)[]>();
  for (const [i, sequences] of calls.entries())
    for (const sequence of sequences) {
      const key = [sequence.name, ...sequence.tags].join("\0");
      const members = series.get(key) ?? calls.map(() => undefined);
      members[i] = sequence;
      series.set(key, members);
    }
  const aligned = Array.from(series.values(), (members) => alignSeries(members, types, isAscending));
  return inOrder(aligned, isAscending);
}

function haveSameSeries(a: readonly Sequence[], b: readonly Sequence[]): boolean {
  return (
    a.length === b.length &&
    a.every((sequence, i) => {
      const other = b[i];
      return other !== undefined && compareSequences(sequence, other) === 0;
    })
  );
}

function alignSeries(
  members: readonly (Sequence | undefined)[],
  types: readonly Vector["type"][],
  isAscending: boolean,
): Sequence {
  const present = members.filter((member) => member !== undefined);
  const [first] = present;
  if (first === undefined) throw new TypeError("a series of no call");
  const rows = present.every(({ time }) => sameTimes(time, first.time))
    ? undefined
    : mergedRows(members, isAscending);
  const length = rows?.time.length ?? first.time.length;
  const columns = members.map((member, i): Vector => {
    const column = member?.columns[0];
    if (column === undefined) return take(emptyOf(types[i] ?? "float"), new Int32Array(length).fill(-1));
    const at = rows?.at[i];
    return at === undefined ? column : take(column, at);
  });
  return { name: first.name, tags: first.tags, time: rows?.time ?? first.time, columns };
}

function emptyOf(type: Vector["type"]): Vector {
  return type === "string" ? { type, values: [] } : { type, values: new Float64Array(0) };
}

function sameTimes(a: Float64Array, b: Float64Array): boolean {
  return a === b || (a.length === b.length && a.every((time, i) => time === b[i]));
}

/** Each call's rows for all times that one of them has. */
function mergedRows(
  members: readonly (Sequence | undefined)[],
  isAscending: boolean,
): { time: Float64Array; at: Int32Array[] } {
  const next = members.map(() => 0);
  const at: number[][] = members.map(() => []);
  const times: number[] = [];
  for (;;) {
    let time: number | undefined;
    for (const [i, member] of members.entries()) {
      const candidate = member?.time[next[i] ?? 0];
      if (
        candidate !== undefined &&
        (time === undefined || (isAscending ? candidate < time : candidate > time))
      )
        time = candidate;
    }
    if (time === undefined) break;
    times.push(time);
    for (const [i, member] of members.entries()) {
      const place = next[i] ?? 0;
      const has = member?.time[place] === time;
      at[i]?.push(has ? place : -1);
      if (has) next[i] = place + 1;
    }
  }
  return { time: Float64Array.from(times), at: at.map((rows) => Int32Array.from(rows)) };
}
