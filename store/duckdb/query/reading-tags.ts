import { setImmediate as breath } from "node:timers/promises";
import type { SeriesTable } from "#telemetry/series-table.ts";
import { Serial } from "../../serial.ts";
import { type SensorRef, type TagVersion, cleanTags, sayable } from "../../tags.ts";
import { SeriesTags, type Version } from "./series-tags.ts";

/** The registry's answer for each of these sensors, in their order. */
export type AskTags = (sensors: readonly SensorRef[]) => Promise<(readonly TagVersion[])[]>;

/** Asked for at once, and read from the dictionary between two breaths: a few milliseconds for either side. */
const sensorsAtOnce = 500;
const entriesAtOnce = 5_000;

interface Known {
  readonly tags: SeriesTags;
  /** Of the measurement's series, the first so many are known … */
  asked: number;
  /** … but of these the registry has changed its mind. */
  readonly stale: Set<number>;
  readonly asking: Serial;
}

/** Tags of readings' series, of a measurement when it is first asked for. They are the registry's; the dictionary says which series there are. */
export class ReadingTags {
  readonly #dictionary: SeriesTable;
  readonly #ask: AskTags;
  readonly #series = new Map<string, number[]>();
  readonly #known = new Map<string, Known>();
  readonly #reading = new Serial();
  /** Entries of the dictionary that are in `#series`. */
  #read = 0;

  constructor(dictionary: SeriesTable, ask: AskTags) {
    this.#dictionary = dictionary;
    this.#ask = ask;
  }

  async of(measurement: string): Promise<SeriesTags> {
    await this.#reading.run(() => this.#readDictionary());
    let known = this.#known.get(measurement);
    if (known === undefined) {
      known = { tags: this.#empty(measurement), asked: 0, stale: new Set(), asking: new Serial() };
      this.#known.set(measurement, known);
    }
    const { asking } = known;
    await asking.run(() => this.#catchUp(measurement, known));
    return known.tags;
  }

  /** What is known of these sensors is to be asked for anew. */
  forget(sensors: readonly SensorRef[]): void {
    for (const { agency, sensor } of sensors) {
      for (const [measurement, { tags, stale }] of this.#known) {
        const series = this.#dictionary.numberOf(agency, measurement, sensor);
        if (series !== undefined && tags.has(series)) stale.add(series);
      }
    }
  }

  async #readDictionary(): Promise<void> {
    while (this.#read < this.#dictionary.size) {
      const until = Math.min(this.#read + entriesAtOnce, this.#dictionary.size);
      for (const { measurement, series } of this.#dictionary.from(this.#read)) {
        const numbers = this.#series.get(measurement);
        if (numbers === undefined) this.#series.set(measurement, [series]);
        else numbers.push(series);
        if (++this.#read === until) break;
      }
      await breath();
    }
  }

  async #catchUp(measurement: string, known: Known): Promise<void> {
    const all = this.#series.get(measurement) ?? [];
    while (known.asked < all.length || known.stale.size > 0) {
      const fresh = all.slice(known.asked, known.asked + sensorsAtOnce);
      known.asked += fresh.length;
      const stale = [...known.stale].slice(0, sensorsAtOnce - fresh.length);
      const asked = [...fresh, ...stale];
      for (const series of stale) known.stale.delete(series);
      try {
        const entries = asked.map((series) => this.#dictionary.get(series)!);
        const answers = await this.#ask(entries.map(({ agency, sensor }) => ({ agency, sensor })));
        for (const [i, { series, agency }] of entries.entries())
          known.tags.put(series, versionsOf(agency, answers[i]!));
      } catch (error) {
        for (const series of asked) known.stale.add(series);
        throw error;
      }
    }
  }

  #empty(measurement: string): SeriesTags {
    const dictionary = this.#dictionary;
    return new SeriesTags({
      key: "sensor",
      of: (series) => sayable(dictionary.get(series)?.sensor),
      find: (values) =>
        [...values].flatMap((sensor) =>
          dictionary
            .ofSensor(sensor)
            .flatMap((entry) => (entry.measurement === measurement ? [entry.series] : [])),
        ),
    });
  }
}

function versionsOf(agency: string, versions: readonly TagVersion[]): Version[] {
  const known = versions.length > 0 ? versions : [{ from: Number.NEGATIVE_INFINITY, tags: {} }];
  return known.map(({ from, tags }) => ({ from, tags: cleanTags({ ...tags, agency }) }));
}
