import { isDeepStrictEqual } from "node:util";

/** What something is from `valid_from` (milliseconds since 1970) until the next version begins. */
export interface Version<T> {
  readonly valid_from: number;
  readonly value: T;
}

/** Versions by `valid_from`, rising; neighbours differ. Times are those of events, not of hearing about them. */
export type Timeline<T> = readonly Version<T>[];

/** Versions kept of one thing; beyond it the two oldest become one, so that a sender which flaps cannot fill the disk. */
export const maxVersions = 256;

/** The version in force at `time`; undefined before the first. */
export function valueAt<T>(timeline: Timeline<T>, time: number): T | undefined {
  for (let i = timeline.length - 1; i >= 0; i -= 1) {
    const version = timeline[i]!;
    if (version.valid_from <= time) return version.value;
  }
  return undefined;
}

/**
 * From `validFrom` on it is `value`: what was said of later times before is superseded, earlier times stay as they are.
 * Saying the same again gives back the very same timeline.
 */
export function setFrom<T>(timeline: Timeline<T>, validFrom: number, value: T): Timeline<T> {
  const next = timeline.filter((version) => version.valid_from < validFrom);
  const last = next.at(-1);
  if (!last || !isDeepStrictEqual(last.value, value)) next.push({ valid_from: validFrom, value });
  if (isDeepStrictEqual(next, timeline)) return timeline;
  return next.length > maxVersions ? withoutOldest(next) : next;
}

/** The second version takes over the times of the first. */
function withoutOldest<T>([oldest, second, ...rest]: Version<T>[]): Timeline<T> {
  return [{ valid_from: oldest!.valid_from, value: second!.value }, ...rest];
}
