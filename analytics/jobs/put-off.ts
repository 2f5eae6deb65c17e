import type { Periods } from "#analytics/rollup/periods.ts";
import type { Touched } from "#analytics/rollup/touched.ts";
import { minute_ms } from "#analytics/rollup/minutes.ts";
import type { DirtyHour } from "#store/results.ts";

type Coarser = "rollup_1h" | "rollup_1d";

/** How often windows that are not over are made anew: their rows are updates, four times as dear as new ones. */
const every_ms: Readonly<Record<Coarser, number>> = { rollup_1h: 300_000, rollup_1d: 900_000 };

/**
 * Running hours and days that are made anew later than their minutes. Only what has a dirty minute that is not over is put off: its mark brings the window up again, also after
 * a crash, when nothing is left here.
 */
export class PutOff {
  readonly #periods: Periods;
  /** By measurement and roll-up: beginnings of windows. */
  readonly #windows = new Map<string, Set<number>>();
  readonly #madeAt = new Map<string, number>();
  /** By measurement: dirty minutes that are not over. */
  #pending = new Map<string, number[]>();
  #isFirst = true;

  constructor(periods: Periods) {
    this.#periods = periods;
  }

  /** What is dirty at the beginning of a run. @param over  Minutes before it are over. */
  look(dirty: readonly DirtyHour[], over: number): void {
    this.#pending = new Map();
    for (const { measurement, hour, minutes } of dirty) {
      for (const [at, isDirty] of minutes.entries()) {
        const minute = hour + at * minute_ms;
        if (isDirty === 0) continue;
        if (minute >= over)
          this.#pending.set(measurement, [...(this.#pending.get(measurement) ?? []), minute]);
        // What a process of before has put off is among these.
        if (!this.#isFirst) continue;
        for (const coarser of ["rollup_1h", "rollup_1d"] as const)
          this.#of(measurement, coarser).add(this.#periods[coarser].beginOf(minute));
      }
    }
    this.#isFirst = false;
  }

  /** Leaves of the touched windows those to be made now, of all series where some were put off. */
  take(measurement: string, coarser: Coarser, touched: Touched, now: number): void {
    const windows = this.#of(measurement, coarser);
    const grain = this.#periods[coarser];
    const isLately =
      Math.abs(now - (this.#madeAt.get(`${measurement} ${coarser}`) ?? -Infinity)) < every_ms[coarser];
    for (const from of touched.windows()) {
      const to = grain.endOf(from);
      const comesAgain =
        this.#pending.get(measurement)?.some((minute) => minute >= from && minute < to) === true;
      if (comesAgain && isLately) {
        windows.add(from);
        touched.delete(from);
      } else if (windows.has(from)) {
        touched.addAll(from);
      }
      if (comesAgain && !isLately) this.#madeAt.set(`${measurement} ${coarser}`, now);
    }
  }

  /** These are written. */
  made(measurement: string, coarser: Coarser, touched: Touched): void {
    const windows = this.#of(measurement, coarser);
    for (const from of touched.windows()) windows.delete(from);
  }

  #of(measurement: string, coarser: Coarser): Set<number> {
    const key = `${measurement} ${coarser}`;
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    const windows = new Set<number>();
    this.#windows.set(key, windows);
    return windows;
  }
}
