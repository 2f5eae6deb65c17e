import type { Influence, Stretch } from "#analytics/rollup/extent.ts";
import { minute_ms } from "#analytics/rollup/minutes.ts";
import type { RollupPlan } from "#analytics/rollup/plan.ts";
import { type SeriesReadings, placeOf } from "#analytics/rollup/readings.ts";

/**
 * Values that stand on in windows that were not over when they were rolled up. With the next value these are rolled up; where none comes they are owed.
 * After a start nothing is known of those of before.
 */
export class Standing {
  readonly #plan: RollupPlan;
  /** By series and field: the minute of the last value, and the end of the last window in which it stands. */
  readonly #values = new Map<number, { since: number; until: number }>();
  /** Nothing is owed before it. */
  #next = Infinity;

  constructor(plan: RollupPlan) {
    this.#plan = plan;
  }

  /**
   * The series was rolled up.
   * @param changed  Where the values are that have this influence.
   * @param over  Windows that end later are owed.
   */
  rolled(
    series: number,
    { time, values }: SeriesReadings,
    influence: Influence,
    changed: Stretch,
    over: number,
  ): void {
    const { fields } = this.#plan;
    const end = placeOf(time, changed.to);
    for (const [at, { kind }] of fields.entries()) {
      const until = influence[at]?.to;
      if (until === undefined || kind === "delta" || kind === "counter") continue;
      let last = end - 1;
      while (Number.isNaN(values[at]![last])) last -= 1;
      const since = Math.floor(time[last]! / minute_ms) * minute_ms;
      const key = series * fields.length + at;
      const known = this.#values.get(key);
      if (known !== undefined && known.since > since) continue;
      if (until <= over) this.#values.delete(key);
      else if (known !== undefined) Object.assign(known, { since, until });
      else if (this.#values.size < mostKept) this.#values.set(key, { since, until });
      if (until > over) this.#next = Math.min(this.#next, until);
    }
  }

  /** What is owed and over now. */
  due(over: number): Due | undefined {
    if (over < this.#next) return undefined;
    const due: [key: number, value: { since: number; until: number }][] = [];
    this.#next = Infinity;
    for (const entry of this.#values) {
      if (entry[1].until <= over) due.push(entry);
      this.#next = Math.min(this.#next, entry[1].until);
    }
    if (due.length === 0) return undefined;
    let [from, to] = [Infinity, -Infinity];
    for (const [, { since }] of due) {
      from = Math.min(from, since);
      to = Math.max(to, since + minute_ms);
    }
    const series = new Set(due.map(([key]) => Math.floor(key / this.#plan.fields.length)));
    return {
      series: [...series],
      changed: { from, to },
      owed: due.map(([key, value]) => [key, { ...value }]),
    };
  }

  /** It was rolled up and could not be written. */
  owe({ owed }: Due): void {
    this.#next = -Infinity;
    for (const [key, value] of owed) if (!this.#values.has(key)) this.#values.set(key, { ...value });
  }
}

/** Values that are kept, some 100 bytes each: of those beyond, the minutes after their last reading are rolled up with the next one only. */
const mostKept = 200_000;

export interface Due {
  readonly series: readonly number[];
  /** Where their last values are. */
  readonly changed: Stretch;
  readonly owed: readonly (readonly [
    key: number,
    value: { readonly since: number; readonly until: number },
  ])[];
}
