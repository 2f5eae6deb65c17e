import { rollCoarser } from "#analytics/rollup/coarser.ts";
import { type ReadStretch, type Stretch, influenceOf } from "#analytics/rollup/extent.ts";
import { type SeriesRows, seriesOf } from "#analytics/rollup/feed.ts";
import { minute_ms, rollMinutes } from "#analytics/rollup/minutes.ts";
import type { Periods } from "#analytics/rollup/periods.ts";
import type { RollupPlan } from "#analytics/rollup/plan.ts";
import { type SensorRules, placeOf } from "#analytics/rollup/readings.ts";
import { RollupRows } from "#analytics/rollup/rows.ts";
import type { Store } from "#store/port.ts";
import { type Rollup, rollups } from "#store/query.ts";
import { GiveWay } from "./give-way.ts";
import type { RollupWriter } from "./rollup-writer.ts";
import type { Standing } from "./standing.ts";

/** By how much more is read for those it is not enough for, each time. */
const widened = 8;
/** Beyond it everything is read: what is asked again is few series with few readings. */
const widest_ms = 20 * 24 * 3_600_000;
/** Readings may be a little ahead of the clock. */
const ahead_ms = 3_600_000;
/** Series of one question. */
const seriesAtOnce = 256;

export interface MinuteRoller {
  readonly store: Pick<Store, "rows">;
  readonly plan: RollupPlan;
  readonly periods: Periods;
  /** The finest roll-up whose rows are kept that long; those finer are made and not written. */
  readonly finest: Rollup;
  /** Rows before it are forgotten, those after it not over yet. */
  readonly within: Stretch;
  readonly writer: RollupWriter;
  readonly rulesOf: (series: number) => SensorRules;
  readonly around: Around;
  readonly begins: Begins;
  readonly standing: Standing;
  /** When the first reading may be that came since the last time. */
  readonly earliest: number;
  readonly now: number;
  readonly read: (readings: number) => void;
  readonly signal: AbortSignal;
}

/** Rolls up all windows that readings in `changed` have an influence on, of these series or of all. */
export async function rollChanged(
  roller: MinuteRoller,
  changed: Stretch,
  series?: readonly number[],
): Promise<void> {
  let { before, after } = roller.around;
  let short = await rollSome(roller, changed, readAround(changed, before, after, roller.now), series);
  if (series === undefined) roller.around.was(short);
  while (short.series.length > 0) {
    if (short.before) before *= widened;
    if (short.after) after *= widened;
    short = await rollSome(roller, changed, readAround(changed, before, after, roller.now), short.series);
  }
}

async function rollSome(
  roller: MinuteRoller,
  changed: Stretch,
  read: ReadStretch,
  series: readonly number[] | undefined,
): Promise<ShortSeries> {
  if (series === undefined) return await rollPass(roller, changed, read, undefined);
  const short: ShortSeries = { series: [], before: false, after: false, changed: 0 };
  for (let at = 0; at < series.length; at += seriesAtOnce) {
    const found = await rollPass(roller, changed, read, series.slice(at, at + seriesAtOnce));
    short.series.push(...found.series);
    short.before ||= found.before;
    short.after ||= found.after;
  }
  return short;
}

function readAround(changed: Stretch, before: number, after: number, now: number): ReadStretch {
  const begins = before > widest_ms;
  const ends = after > widest_ms || changed.to + after >= now;
  return {
    from: begins ? 0 : changed.from - before,
    to: ends ? Math.max(now, changed.to) + ahead_ms : changed.to + after,
    begins,
    ends,
  };
}

/** Series of which more must be read, of all that changed. */
interface ShortSeries {
  readonly series: number[];
  before: boolean;
  after: boolean;
  changed: number;
}

/** Periods around what changed that are enough for all that speak regularly. */
const periodsAround = 5;
/** So many in a hundred may have to be asked for again. */
const fewShort = 0.02;
/** After less was tried and was not enough, so many times pass until it is tried again. */
const triedAgainAfter = 60;

/** How much is read around what changed: as little as is enough for nearly all series of a measurement, ms. */
export class Around {
  readonly #most: number;
  #part = 1;
  #settled = 0;

  constructor(period_s: number) {
    this.#most = periodsAround * period_s * 1000;
  }

  get before(): number {
    return minute_ms + this.#most * this.#part;
  }

  get after(): number {
    return this.before;
  }

  was({ series, changed }: { readonly series: readonly number[]; readonly changed: number }): void {
    this.#settled -= 1;
    if (series.length > fewShort * changed) {
      this.#settled = triedAgainAfter;
      this.#part = Math.min(1, 2 * this.#part);
    } else if (this.#settled <= 0 && changed > 0) {
      this.#part = Math.max(1 / 64, this.#part / 2);
    }
  }
}

async function rollPass(
  roller: MinuteRoller,
  changed: Stretch,
  read: ReadStretch,
  series: readonly number[] | undefined,
): Promise<ShortSeries> {
  const { plan, store } = roller;
  const fields = plan.fields.map(({ name }) => name);
  const short: ShortSeries = { series: [], before: false, after: false, changed: 0 };
  const minutes = new RollupRows(plan);
  const giveWay = new GiveWay(roller.signal);
  const pieces = store.rows({
    policy: "autogen",
    measurement: plan.measurement,
    from: read.from,
    to: read.to,
    fields,
    ...(series && { series }),
  });
  for await (const rows of seriesOf(pieces, fields)) {
    roller.read(rows.time.length);
    if (placeOf(rows.time, changed.from) === placeOf(rows.time, changed.to)) continue;
    short.changed += 1;
    const begins = read.begins || roller.begins.isFirst(rows.series, rows.time[0]!, roller.earliest);
    const rules = roller.rulesOf(rows.series);
    const grain = roller.periods[roller.finest];
    const influence = influenceOf(plan, rows, rules, changed, { ...read, begins }, grain);
    if ("before" in influence) {
      short.series.push(rows.series);
      short.before ||= influence.before;
      short.after ||= influence.after;
      continue;
    }
    if (read.begins) roller.begins.note(rows.series, rows.time[0]!);
    minutes.clear();
    rollMinutes(rows, rules, influence, roller.within, rows.series, minutes);
    roller.standing.rolled(rows.series, rows, influence, changed, roller.within.to);
    put(roller, rows, minutes);
    await roller.writer.added();
    if (giveWay.isDue) await giveWay.turn();
  }
  return short;
}

/** Rows of minutes, or what they make of coarser windows, go to the writer. */
function put(
  { plan, periods, finest, writer }: MinuteRoller,
  { series }: SeriesRows,
  minutes: RollupRows,
): void {
  let finer = minutes;
  for (const policy of rollups.slice(1, rollups.indexOf(finest) + 1)) {
    const coarser = new RollupRows(plan);
    rollCoarser(finer, { begin: 0, end: finer.size }, periods[policy], series, coarser);
    finer = coarser;
  }
  writer.rows.append(finer);
}

/** Series known to have no reading before a time: it is not looked for again. */
export class Begins {
  readonly #first = new Map<number, number>();

  /**
   * Is there no reading before `time`?
   * @param earliest  None before it came since the series' first was noted.
   */
  isFirst(series: number, time: number, earliest: number): boolean {
    const first = this.#first.get(series);
    if (first !== undefined && time < first) this.#first.delete(series);
    return first === time && first < earliest;
  }

  note(series: number, time: number): void {
    if (this.#first.size >= mostNoted) this.#first.clear();
    this.#first.set(series, time);
  }
}

const mostNoted = 100_000;
