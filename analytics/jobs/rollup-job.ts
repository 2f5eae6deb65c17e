import type { Registry } from "prom-client";
import { type Round, dueOf, hour_ms, roundsOf, stretchesOf } from "#analytics/rollup/dirty.ts";
import { minute_ms } from "#analytics/rollup/minutes.ts";
import { type Periods, periodsOf } from "#analytics/rollup/periods.ts";
import { type RollupPlan, rollupPlan } from "#analytics/rollup/plan.ts";
import { heldPeriods, type SensorRules } from "#analytics/rollup/readings.ts";
import { Touched } from "#analytics/rollup/touched.ts";
import type { Store } from "#store/port.ts";
import { type Policy, type Rollup, rollups } from "#store/query.ts";
import type { DirtyHour } from "#store/results.ts";
import type { Catalogue, Measurement } from "#telemetry/catalogue.ts";
import type { Zone } from "#telemetry/zone.ts";
import type { Job } from "./job.ts";
import { Around, Begins, type MinuteRoller, rollChanged } from "./roll-minutes.ts";
import { rollTouched } from "./roll-coarser.ts";
import { placeBatch } from "./place-batch.ts";
import { PutOff } from "./put-off.ts";
import { rollupChoice } from "./rollup-choice.ts";
import { RollupMetrics } from "./rollup-metrics.ts";
import { RollupOutput, type RollupWriter } from "./rollup-writer.ts";
import { type Due, Standing } from "./standing.ts";

export interface RollupJobOptions {
  readonly store: Pick<Store, "rows" | "dirty" | "clean" | "writeResults" | "trouble">;
  readonly catalogue: () => Catalogue;
  /** The city's: hours and days are its own. */
  readonly zone: Zone;
  /** What the registry says of a series' sensor. */
  readonly rulesOf: (series: number, measurement: Measurement) => SensorRules;
  /** Does the store lag behind the readings that come? Then what is new waits for two minutes, and history until it does not. */
  readonly isBehind: () => boolean;
  /** For how many days rows are kept; undefined: for ever. */
  readonly keptDays: Readonly<Partial<Record<Policy, number | undefined>>>;
  /** From the end of a run to the beginning of the next. */
  readonly every_ms?: number;
  readonly now?: () => number;
  readonly metrics?: Registry | undefined;
}

const usualInterval_ms = 10_000;
/** A minute is rolled up so long after its end: readings are on their way for a while. */
const grace_ms = 5_000;
/** A run ends after so long, and the next begins with what is newest then. */
const longestRun_ms = 10_000;
/** An hour is rolled up once in so long, or in so many runs if these are shorter: its late readings together with the next minute, or with later ones. */
const paused_ms = 50_000;
const pausedRuns = 5;
/** Hours of which it is remembered when they were. */
const mostHoursNoted = 10_000;
/** A process that was away for so long, and starts again, owes nothing of the values that stood meanwhile. */
const latest_ms = 600_000;
/** So long what is new waits while the store lags behind. */
const patience_ms = 120_000;
const day_ms = 24 * hour_ms;
/** Hours so near to the end of their time are as good as past it. */
const margin_ms = 2 * day_ms;

/** Minutes, hours and days of all readings that came since the last time. */
export function rollupJob(options: RollupJobOptions): Job {
  return new RollupJob(options);
}

class RollupJob implements Job {
  readonly name = "rollup";
  readonly every_ms: number;
  readonly #options: RollupJobOptions;
  readonly #now: () => number;
  readonly #periods: Periods;
  readonly #metrics: RollupMetrics;
  readonly #plans = new Map<Measurement, RollupPlan>();
  readonly #begins = new Begins();
  readonly #putOff: PutOff;
  readonly #habits = new Map<string, Habits>();
  /** When an hour of a measurement was rolled up. */
  readonly #rolledAt = new Map<string, number>();
  /** When a measurement's running hour was. */
  readonly #ranAt = new Map<string, number>();
  #choiceAt: number | undefined;
  #hasStarted = false;
  /** Since when it has waited for a store that lags behind. */
  #behindSince: number | undefined;

  constructor(options: RollupJobOptions) {
    this.#options = options;
    this.every_ms = options.every_ms ?? usualInterval_ms;
    this.#now = options.now ?? Date.now;
    this.#periods = periodsOf(options.zone);
    this.#putOff = new PutOff(this.#periods);
    this.#metrics = new RollupMetrics(options.metrics);
  }

  behind(): number {
    return this.#metrics.hoursBehind;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, isBehind } = this.#options;
    if (store.trouble() !== undefined) return;
    const now = this.#now();
    await this.#writeChoice(now);
    const dirty = await store.dirty();
    this.#putOff.look(dirty, this.#over(now));
    const due = dirty
      .map((hour) => dueOf(hour, now - grace_ms))
      .filter((hour): hour is DirtyHour => hour !== undefined && this.#measurement(hour) !== undefined);
    const recent = now - hour_ms;
    this.#metrics.hoursBehind = due.length;
    if (this.#waits(now)) return;
    const ready = due.filter((hour) => !this.#isPaused(hour, now));
    const until = performance.now() + longestRun_ms;
    const isOver = (): boolean => performance.now() > until;
    for (const round of roundsOf(ready, recent, this.#periods.rollup_1d)) {
      const isNew = round[0]![0]!.hour + hour_ms > recent;
      if (signal.aborted || isOver() || (!isNew && isBehind())) return;
      await this.#roll(round, now, signal, isOver);
    }
    if (this.#hasStarted) await this.#rollStanding(now, signal);
    else await this.#rollLatest(now, signal);
    this.#hasStarted = true;
  }

  /** While the store lags behind even what is new waits, for so long: rolling up would take from it what it lacks. */
  #waits(now: number): boolean {
    const since = this.#options.isBehind() ? (this.#behindSince ?? now) : undefined;
    const isPatient = since !== undefined && Math.abs(now - since) < patience_ms;
    this.#behindSince = isPatient ? since : undefined;
    return isPatient;
  }

  /** What boards ask before anything else. Where rows of 1970 would not be kept there is one of each day. */
  async #writeChoice(now: number): Promise<void> {
    const { store, keptDays } = this.#options;
    const at = keptDays.autogen === undefined ? 0 : Math.floor(now / day_ms) * day_ms;
    if (at === this.#choiceAt) return;
    await store.writeResults([rollupChoice(at), placeBatch(at)]);
    this.#choiceAt = at;
  }

  #measurement({ measurement }: { readonly measurement: string }): Measurement | undefined {
    const catalogue = this.#options.catalogue();
    return catalogue.measurements[catalogue.indexOf(measurement) ?? -1];
  }

  #isPaused({ measurement, hour }: DirtyHour, now: number): boolean {
    return this.#isLately(this.#rolledAt.get(`${measurement} ${hour}`), now);
  }

  #ranLately(measurement: string, now: number): boolean {
    return this.#isLately(this.#ranAt.get(measurement), now);
  }

  #isLately(at: number | undefined, now: number): boolean {
    // A clock that was put back must not say so until then.
    return at !== undefined && Math.abs(now - at) < Math.min(paused_ms, pausedRuns * this.every_ms);
  }

  /** Hours that were rolled up; those of which that is long ago are forgotten. */
  #noteRolled(hours: readonly DirtyHour[], now: number): void {
    if (this.#rolledAt.size > mostHoursNoted)
      for (const [hour, at] of this.#rolledAt) if (!this.#isLately(at, now)) this.#rolledAt.delete(hour);
    for (const { measurement, hour } of hours) this.#rolledAt.set(`${measurement} ${hour}`, now);
  }

  /** @param isOver  Asked between pieces: the rest of them can wait. */
  async #roll(round: Round, now: number, signal: AbortSignal, isOver: () => boolean): Promise<void> {
    const output = this.#output();
    const begun: BegunRollup[] = [];
    const done: DirtyHour[] = [];
    for (const hours of round) {
      if (done.length > 0 && isOver()) break;
      const rollup = this.#begin(hours[0]!.measurement, output);
      begun.push(rollup);
      done.push(...(await this.#rollHours(rollup, hours, now, signal, isOver)));
    }
    await this.#rollCoarser(begun, output, now, signal);
    await this.#options.store.clean(done);
    this.#noteRolled(done, now);
    this.#metrics.hoursBehind -= done.length;
  }

  /** Of series that fell silent, what their last values still owe. */
  async #rollStanding(now: number, signal: AbortSignal): Promise<void> {
    const output = this.#output();
    const begun: BegunRollup[] = [];
    const all: { readonly standing: Standing; readonly due: Due }[] = [];
    try {
      for (const [name, { standing }] of this.#habits) {
        const due = standing.due(this.#over(now));
        if (due === undefined || this.#ranLately(name, now)) continue;
        if (this.#measurement({ measurement: name }) === undefined) continue;
        const { changed, series } = due;
        const finest = this.#finest(changed.from, now);
        if (finest === undefined) continue;
        all.push({ standing, due });
        const rollup = this.#begin(name, output);
        begun.push(rollup);
        const roller = this.#roller(rollup, { finest, earliest: changed.from, now, signal });
        await rollChanged(roller, changed, series);
      }
      await this.#rollCoarser(begun, output, now, signal);
    } catch (error) {
      for (const { standing, due } of all) standing.owe(due);
      throw error;
    }
  }

  /** After a start nothing is known of values that stand: all that came lately is rolled up once more. */
  async #rollLatest(now: number, signal: AbortSignal): Promise<void> {
    const output = this.#output();
    const begun: BegunRollup[] = [];
    const to = this.#over(now);
    for (const { name, period_s } of this.#options.catalogue().measurements) {
      const from = to - latest_ms - 2 * heldPeriods * period_s * 1000;
      const rollup = this.#begin(name, output);
      begun.push(rollup);
      await rollChanged(this.#roller(rollup, { finest: "rollup_1m", earliest: from, now, signal }), {
        from,
        to,
      });
    }
    await this.#rollCoarser(begun, output, now, signal);
  }

  async #rollCoarser(
    begun: readonly BegunRollup[],
    output: RollupOutput,
    now: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { store } = this.#options;
    await output.flush();
    for (const [finer, coarser] of [
      ["rollup_1m", "rollup_1h"],
      ["rollup_1h", "rollup_1d"],
    ] as const) {
      const parts = { store, periods: this.#periods, since: this.#since(finer, now), signal };
      for (const { plan, touched, writers } of begun) {
        this.#putOff.take(plan.measurement, coarser, touched[coarser], now);
        await rollTouched({ ...parts, plan }, { finer, coarser }, touched[coarser], writers[coarser]);
      }
      await output.flush();
      for (const { plan, touched } of begun) this.#putOff.made(plan.measurement, coarser, touched[coarser]);
    }
  }

  #output(): RollupOutput {
    return new RollupOutput(this.#options.store, (policy, rows) => this.#metrics.wrote(policy, rows));
  }

  #begin(name: string, output: RollupOutput): BegunRollup {
    const measurement = this.#measurement({ measurement: name })!;
    const plan = this.#planOf(measurement);
    const { rollup_1h: hour, rollup_1d: day } = this.#periods;
    const touched = { rollup_1h: new Touched(hour), rollup_1d: new Touched(day) };
    const writers = {
      rollup_1m: output.writer(plan, "rollup_1m", touched.rollup_1h),
      rollup_1h: output.writer(plan, "rollup_1h", touched.rollup_1d),
      rollup_1d: output.writer(plan, "rollup_1d", undefined),
    };
    return { measurement, plan, touched, writers };
  }

  /** @returns the hours whose minutes are rolled up: all, or those for which there was time. */
  async #rollHours(
    rollup: BegunRollup,
    hours: readonly DirtyHour[],
    now: number,
    signal: AbortSignal,
    isOver: () => boolean,
  ): Promise<DirtyHour[]> {
    const { pace } = this.#habitsOf(rollup.plan);
    const earliest = stretchesOf(hours)[0]!.from;
    const done: DirtyHour[] = [];
    while (done.length < hours.length && !(done.length > 0 && isOver())) {
      const finest = this.#finest(hours[done.length]!.hour, now);
      const piece = hours
        .slice(done.length, done.length + pace.hoursAtOnce)
        .filter(({ hour }) => this.#finest(hour, now) === finest);
      done.push(...piece);
      if (finest === undefined) {
        this.#metrics.forgot(piece.length);
        continue;
      }
      if (piece[0]!.hour + hour_ms > now) this.#ranAt.set(rollup.measurement.name, now);
      const begun = performance.now();
      const roller = this.#roller(rollup, { finest, earliest, now, signal });
      for (const changed of stretchesOf(piece)) await rollChanged(roller, changed);
      pace.took(piece, performance.now() - begun);
    }
    return done;
  }

  #roller(
    { measurement, plan, writers }: BegunRollup,
    at: Pick<MinuteRoller, "earliest" | "now" | "signal"> & { readonly finest: Rollup },
  ): MinuteRoller {
    const { store, rulesOf } = this.#options;
    const { around, standing } = this.#habitsOf(plan);
    return {
      ...at,
      store,
      plan,
      periods: this.#periods,
      within: { from: this.#since(at.finest, at.now), to: this.#over(at.now) },
      writer: writers[at.finest],
      rulesOf: (series) => rulesOf(series, measurement),
      around,
      begins: this.#begins,
      standing,
      read: (readings) => this.#metrics.read(readings),
    };
  }

  #planOf(measurement: Measurement): RollupPlan {
    let plan = this.#plans.get(measurement);
    if (plan === undefined) this.#plans.set(measurement, (plan = rollupPlan(measurement)));
    return plan;
  }

  /** What was learnt of a measurement's readings. */
  #habitsOf(plan: RollupPlan): Habits {
    const { measurement, period_s } = plan;
    const known = this.#habits.get(measurement);
    if (known?.plan === plan) return known;
    const habits = { plan, pace: new Pace(), around: new Around(period_s), standing: new Standing(plan) };
    this.#habits.set(measurement, habits);
    return habits;
  }

  /** Minutes before it are over. */
  #over(now: number): number {
    return Math.floor((now - grace_ms) / minute_ms) * minute_ms;
  }

  /** The finest roll-up that keeps rows of that time; undefined: none, or their readings are not kept. */
  #finest(time: number, now: number): Rollup | undefined {
    const isKept = (policy: Policy): boolean => time >= this.#since(policy, now) + margin_ms;
    return isKept("autogen") ? rollups.find(isKept) : undefined;
  }

  /** From which time on rows of a policy are kept. */
  #since(policy: Policy, now: number): number {
    const days = this.#options.keptDays[policy];
    return days === undefined ? -Infinity : now - days * day_ms;
  }
}

interface Habits {
  readonly plan: RollupPlan;
  readonly pace: Pace;
  readonly around: Around;
  readonly standing: Standing;
}

/** A measurement whose hours are being rolled up. */
interface BegunRollup {
  readonly measurement: Measurement;
  readonly plan: RollupPlan;
  readonly touched: Readonly<Record<"rollup_1h" | "rollup_1d", Touched>>;
  readonly writers: Readonly<Record<Rollup, RollupWriter>>;
}

/** How many hours of a measurement are rolled up at once: what takes a second or two, so that what is new need not wait longer. */
class Pace {
  hoursAtOnce = 1;

  took(hours: readonly DirtyHour[], ms: number): void {
    const minutes = hours.reduce(
      (sum, hour) => sum + hour.minutes.filter((isDirty) => isDirty === 1).length,
      0,
    );
    const hour_ms = (ms / Math.max(minutes, 1)) * 60;
    this.hoursAtOnce = Math.max(1, Math.min(24, 2 * this.hoursAtOnce, Math.floor(piece_ms / hour_ms)));
  }
}

const piece_ms = 1_500;
