import type { DirtyHour } from "#store/results.ts";
import type { Grain, Stretch } from "./extent.ts";
import { minute_ms } from "./minutes.ts";

export const hour_ms = 60 * minute_ms;
/** Stretches with fewer clean minutes between them are rolled up as one: each reads what is around it. */
const bridged = 5;

/** Of an hour the minutes that ended at `over` or before; undefined when there are none. */
export function dueOf(dirty: DirtyHour, over: number): DirtyHour | undefined {
  const minutes = dirty.minutes.map((isDirty, at) =>
    isDirty === 1 && dirty.hour + (at + 1) * minute_ms <= over ? 1 : 0,
  );
  return minutes.includes(1) ? { ...dirty, minutes } : undefined;
}

/** Where the dirty minutes of hours are, by time. */
export function stretchesOf(hours: readonly DirtyHour[]): Stretch[] {
  const stretches: { from: number; to: number }[] = [];
  for (const { hour, minutes } of hours.toSorted((a, b) => a.hour - b.hour)) {
    for (const [at, isDirty] of minutes.entries()) {
      if (isDirty === 0) continue;
      const from = hour + at * minute_ms;
      const last = stretches.at(-1);
      if (last !== undefined && from - last.to <= bridged * minute_ms) last.to = from + minute_ms;
      else stretches.push({ from, to: from + minute_ms });
    }
  }
  return stretches;
}

/** What is rolled up together: hours by measurement, each measurement's newest first. */
export type Round = readonly (readonly DirtyHour[])[];

/**
 * In which order hours are rolled up: what is new of every measurement before anything old, then day by day, the newest first.
 * @param recent  Hours that end after it are new.
 */
export function roundsOf(due: readonly DirtyHour[], recent: number, day: Grain): Round[] {
  const rounds = new Map<number, Map<string, DirtyHour[]>>();
  for (const hour of due.toSorted((a, b) => b.hour - a.hour)) {
    const key = hour.hour + hour_ms > recent ? Infinity : day.beginOf(hour.hour);
    const round = rounds.get(key) ?? new Map<string, DirtyHour[]>();
    rounds.set(key, round);
    const hours = round.get(hour.measurement);
    if (hours === undefined) round.set(hour.measurement, [hour]);
    else hours.push(hour);
  }
  return Array.from(rounds.values(), (round) => [...round.values()]);
}
