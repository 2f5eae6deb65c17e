import type { ValueType } from "./engine.ts";
import { mergeOrder } from "./merge-order.ts";
import { compareLists, compareNames } from "./name-order.ts";
import { concatenate, reversed, slice, take, takeTimes, type Vector } from "./vectors.ts";
import type { Work } from "./work.ts";

/** Rows of one series of a step: those of a measurement with the same values of the tags that are grouped by, in the order of the statement. */
export interface Sequence {
  readonly name: string;
  /** In the order of the step's tag keys, which are in byte order. */
  readonly tags: readonly string[];
  readonly time: Float64Array;
  readonly columns: readonly Vector[];
}

export function compareSequences(a: Sequence, b: Sequence): number {
  return compareNames(a.name, b.name) || compareLists(a.tags, b.tags);
}

/** By measurement and tags; descending statements answer their series in descending order too. */
export function inOrder(sequences: readonly Sequence[], isAscending: boolean): Sequence[] {
  const compare = (a: Sequence, b: Sequence): number =>
    isAscending ? compareSequences(a, b) : compareSequences(b, a);
  // Mostly they come so from the store, or the other way round.
  const given = isAscending ? [...sequences] : sequences.toReversed();
  const isSorted = given.every((sequence, i) => {
    const before = given[i - 1];
    return before === undefined || compare(before, sequence) <= 0;
  });
  return isSorted ? given : given.sort(compare);
}

export function backwards(sequence: Sequence): Sequence {
  return {
    ...sequence,
    time: sequence.time.toReversed(),
    columns: sequence.columns.map(reversed),
  };
}

export function part(sequence: Sequence, from: number, to: number): Sequence {
  return {
    ...sequence,
    time: sequence.time.subarray(from, to),
    columns: sequence.columns.map((column) => slice(column, from, to)),
  };
}

export function rowsAt(sequence: Sequence, at: Int32Array): Sequence {
  return {
    ...sequence,
    time: takeTimes(sequence.time, at),
    columns: sequence.columns.map((column) => take(column, at)),
  };
}

/** LIMIT and OFFSET; 0: none. */
export function limited(sequence: Sequence, limit: number, offset: number): Sequence {
  const { length } = sequence.time;
  if (limit === 0 && offset === 0) return sequence;
  return part(sequence, Math.min(offset, length), limit === 0 ? length : Math.min(offset + limit, length));
}

/** How rows of several sequences go into one. */
export type Merging = "by time" | "one after the other";

export interface Regrouping {
  /** Places in a sequence's tags that its new tags are; -1: a tag that it lacks. */
  readonly keep: readonly number[];
  readonly merging: Merging;
  readonly isAscending: boolean;
  readonly types: readonly ValueType[];
}

/** Rows of sequences that have the same name and kept tags together, those of equal times in the order of the sequences. */
export async function regroup(
  sequences: readonly Sequence[],
  { keep, merging, isAscending, types }: Regrouping,
  work: Work,
): Promise<Sequence[]> {
  const groups = new Map<string, { name: string; tags: string[]; members: Sequence[] }>();
  for (const sequence of sequences) {
    const tags = keep.map((place) => sequence.tags[place] ?? "");
    const key = [sequence.name, ...tags].join("\0");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { name: sequence.name, tags, members: [sequence] });
    else group.members.push(sequence);
  }
  const regrouped: Sequence[] = [];
  for (const { name, tags, members } of groups.values()) {
    const [only] = members;
    if (only !== undefined && members.length === 1) {
      regrouped.push({ ...only, tags });
      continue;
    }
    const joined = joinedRows(name, tags, members, types);
    const rows = joined.time.length;
    work.hold(rows * (types.length + 1));
    await work.did(rows * (types.length + 1));
    const lengths = members.map(({ time }) => time.length);
    regrouped.push(
      merging === "by time"
        ? rowsAt(joined, await mergeOrder(joined.time, lengths, isAscending, work))
        : joined,
    );
  }
  return inOrder(regrouped, isAscending);
}

function joinedRows(
  name: string,
  tags: readonly string[],
  members: readonly Sequence[],
  types: readonly ValueType[],
): Sequence {
  const time = new Float64Array(members.reduce((sum, member) => sum + member.time.length, 0));
  let at = 0;
  for (const member of members) {
    time.set(member.time, at);
    at += member.time.length;
  }
  const columns = types.map((type, i) =>
    concatenate(
      members.flatMap((member) => member.columns[i] ?? []),
      type,
    ),
  );
  return { name, tags, time, columns };
}
