import type { SeriesEntry } from "#telemetry/series.ts";
import { type Prefix, type TagVersion, prefixesOf } from "./tags.ts";

/** A sensor whose tags the caller must supply. */
export interface SensorRef {
  readonly agency: string;
  readonly sensor: string;
}
export interface SensorTags extends SensorRef {
  readonly versions: readonly TagVersion[];
}

/** How the lines of each series begin, as far as it was asked for. */
export class SeriesPrefixes {
  /** By series number. */
  readonly #prefixes: (readonly Prefix[] | undefined)[] = [];
  readonly #seriesOfSensor = new Map<string, number[]>();
  /** While a batch is on its way, tags stay as they are: what changes meanwhile is forgotten behind it. */
  #isHeld = false;
  #toForget: SensorRef[] = [];

  /** Of a series that is none of the `missing`. */
  of(series: number): readonly Prefix[] {
    return this.#prefixes[series]!;
  }

  has(series: number): boolean {
    return this.#prefixes[series] !== undefined;
  }

  /** Remembers what is supplied for these series. @returns the sensors whose tags are needed for the others */
  take(supplied: readonly SensorTags[], entries: readonly SeriesEntry[]): SensorRef[] {
    const versions = new Map(supplied.map((tags) => [keyOf(tags), tags.versions]));
    const missing = new Map<string, SensorRef>();
    for (const entry of entries) {
      const key = keyOf(entry);
      const known = versions.get(key);
      if (known === undefined) {
        const { agency, sensor, series } = entry;
        if (!this.has(series)) missing.set(key, { agency, sensor });
        continue;
      }
      this.#prefixes[entry.series] = prefixesOf(entry, known);
      const numbers = this.#seriesOfSensor.get(key);
      if (numbers === undefined) this.#seriesOfSensor.set(key, [entry.series]);
      else if (!numbers.includes(entry.series)) numbers.push(entry.series);
    }
    return [...missing.values()];
  }

  /** The registry has changed these: their lines begin otherwise from now on. */
  forget(sensors: readonly SensorRef[]): void {
    if (this.#isHeld) {
      this.#toForget.push(...sensors);
      return;
    }
    for (const sensor of sensors) {
      for (const series of this.#seriesOfSensor.get(keyOf(sensor)) ?? []) this.#prefixes[series] = undefined;
    }
  }

  hold(): void {
    this.#isHeld = true;
  }

  letGo(): void {
    this.#isHeld = false;
    this.forget(this.#toForget.splice(0));
  }
}

function keyOf({ agency, sensor }: SensorRef): string {
  return `${agency}/${sensor}`;
}
