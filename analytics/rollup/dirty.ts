import type { DirtyHour } from "#store/results.ts";
import type { Grain, Stretch } from "./extent.ts";
import { minute_ms } from "./minutes.ts";

export const hour_ms = 60 * minute_ms;
/** Stretches with fewer clean minutes between them are rolled up as one: each reads what is around it. */
const bridged = 5;

/** Hours of one measurement that are rolled up together, and then their days once. */
export interface Batch {
  readonly measurement: string;
  /** Newest first; of their minutes only those that are over. */
  readonly hours: readonly DirtyHour[];
}

/** Of an hour the minutes that ended at `over` or before; undefined when there are none. */
export function dueOf(dirty: DirtyHour, over: number): DirtyHour | undefined {
  const minutes = dirty.minutes.map((isDirty, at) =>
    isDirty === 1 && dirty.hour + (at + 1) * minute_ms <= over ? 1 : 0,
  );
  return minutes.includes(1) ? { ...dirty, minutes } : undefined;
}

/** Where an hour's dirty minutes are. */
export function stretchesOf({ hour, minutes }: DirtyHour): Stretch[] {
  const stretches: { from: number; to: number }[] = [];
  for (const [at, isDirty] of minutes.entries()) {
    if (isDirty === 0) continue;
    const from = hour + at * minute_ms;
    const last = stretches.at(-1);
    if (last !== undefined && from - last.to <= bridged * minute_ms) last.to = from + minute_ms;
    else stretches.push({ from, to: from + minute_ms });
  }
  return stretches;
}

/**
 * In which order hours are rolled up: what is new of every measurement before anything old, then a measurement's day as one, the newest first.
 * @param recent  Hours that end after it are new.
 */
export function batchesOf(due: readonly DirtyHour[], recent: number, day: Grain): Batch[] {
  const newestFirst = due.toSorted((a, b) => b.hour - a.hour);
  const batches = new Map<string, DirtyHour[]>();
  for (const hour of newestFirst) {
    const isRecent = hour.hour + hour_ms > recent;
    const key = `${isRecent} ${isRecent ? 0 : day.beginOf(hour.hour)} ${hour.measurement}`;
    const batch = batches.get(key);
    if (batch === undefined) batches.set(key, [hour]);
    else batch.push(hour);
  }
  return Array.from(batches.values(), (hours) => ({ measurement: hours[0]!.measurement, hours }));
}
