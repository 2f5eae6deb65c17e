import { MarsadError } from "#runtime/errors.ts";
import { SeriesTable } from "#telemetry/series-table.ts";
import type { SeriesEntry } from "#telemetry/series.ts";

/** Series numbers by agency, measurement and sensor. Given once, in order, never reused; the journal is its home. */
export class SeriesDictionary {
  readonly #table: SeriesTable;
  #next: number;

  /**
   * @param table  What the journal remembers; it is this dictionary's from now on.
   * @throws MarsadError QUEUE_CORRUPT
   */
  constructor(table = new SeriesTable()) {
    this.#table = table;
    try {
      table.index();
    } catch (error) {
      throw new MarsadError("QUEUE_CORRUPT", "a series has two numbers in the journal", { cause: error });
    }
    this.#next = table.next;
  }

  get(agency: string, measurement: string, sensor: string): number | undefined {
    return this.#table.numberOf(agency, measurement, sensor);
  }

  entry(series: number): SeriesEntry | undefined {
    return this.#table.get(series);
  }

  has(series: number): boolean {
    return this.#table.has(series);
  }

  /** In order of number, but for those that only the store remembered. */
  entries(): Iterable<SeriesEntry> {
    return this.#table;
  }

  /** The series of all sensors with this id. */
  ofSensor(sensor: string): readonly SeriesEntry[] {
    return this.#table.ofSensor(sensor);
  }

  /** Gives the next number. */
  add(agency: string, measurement: string, sensor: string): SeriesEntry {
    const entry = { series: this.#next, agency, measurement, sensor };
    this.#put(entry);
    return entry;
  }

  /**
   * Takes an entry that the store remembers.
   * @returns false when it contradicts what is known: its number means another series here, or the series has another number.
   */
  restore(entry: SeriesEntry): boolean {
    const known = this.get(entry.agency, entry.measurement, entry.sensor);
    if (known !== undefined) return known === entry.series;
    if (this.has(entry.series)) return false;
    this.#put(entry);
    return true;
  }

  #put(entry: SeriesEntry): void {
    this.#table.add(entry);
    this.#next = Math.max(this.#next, entry.series + 1);
  }
}
