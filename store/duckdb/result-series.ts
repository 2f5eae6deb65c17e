import type { TagSet } from "../result-tags.ts";

export interface ResultSeriesEntry {
  readonly number: number;
  readonly measurement: string;
  /** A `TagSet` as JSON. */
  readonly tags: string;
}

/** The tag sets of results that are no roll-up, by numbers of their own. */
export class ResultSeries {
  readonly #byMeasurement = new Map<string, Map<string, number>>();
  #next = 0;

  /** The smallest number above all that are known. */
  get next(): number {
    return this.#next;
  }

  numberOf(measurement: string, tags: string): number | undefined {
    return this.#byMeasurement.get(measurement)?.get(tags);
  }

  add({ number, measurement, tags }: ResultSeriesEntry): void {
    let numbers = this.#byMeasurement.get(measurement);
    if (numbers === undefined) this.#byMeasurement.set(measurement, (numbers = new Map()));
    numbers.set(tags, number);
    this.#next = Math.max(this.#next, number + 1);
  }

  /** A measurement's series by number, in the order they came, without the first so many. */
  *of(measurement: string, known = 0): Generator<[series: number, tags: TagSet]> {
    let skipped = 0;
    for (const [tags, number] of this.#byMeasurement.get(measurement) ?? [])
      if (skipped < known) skipped += 1;
      else yield [number, JSON.parse(tags) as TagSet];
  }
}
