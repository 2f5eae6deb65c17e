import type { SeriesEntry } from "#telemetry/series.ts";

/** Series numbers by agency, measurement and sensor. Given once, in order, never reused; the journal is its home. */
export class SeriesDictionary {
  readonly #numbers = new Map<string, number>();
  readonly #entries = new Map<number, SeriesEntry>();
  #next = 0;

  get(agency: string, measurement: string, sensor: string): number | undefined {
    return this.#numbers.get(keyOf(agency, measurement, sensor));
  }

  has(series: number): boolean {
    return this.#entries.has(series);
  }

  /** In order of number, but for those that only the store remembered. */
  entries(): Iterable<SeriesEntry> {
    return this.#entries.values();
  }

  /** Gives the next number. */
  add(agency: string, measurement: string, sensor: string): SeriesEntry {
    const entry = { series: this.#next, agency, measurement, sensor };
    this.#put(entry);
    return entry;
  }

  /**
   * Takes an entry that journal or store remembers.
   * @returns false when it contradicts what is known: its number means another series here, or the series has another number.
   */
  restore(entry: SeriesEntry): boolean {
    const known = this.#numbers.get(keyOf(entry.agency, entry.measurement, entry.sensor));
    if (known !== undefined) return known === entry.series;
    if (this.#entries.has(entry.series)) return false;
    this.#put(entry);
    return true;
  }

  #put(entry: SeriesEntry): void {
    this.#numbers.set(keyOf(entry.agency, entry.measurement, entry.sensor), entry.series);
    this.#entries.set(entry.series, entry);
    this.#next = Math.max(this.#next, entry.series + 1);
  }
}

/** None of the three may contain a space. */
function keyOf(agency: string, measurement: string, sensor: string): string {
  return `${agency} ${measurement} ${sensor}`;
}
