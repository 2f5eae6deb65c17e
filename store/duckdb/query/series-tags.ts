import { compareNames } from "../../influxql/name-order.ts";

/** Without a prototype: who asks for a tag `constructor` finds none. */
export type Tags = Readonly<Record<string, string>>;

export function noTags(): Record<string, string> {
  return Object.create(null) as Record<string, string>;
}

/** A tag that tells almost every series from the others, and so stands by itself: the sensor's id. */
export interface OwnTag {
  readonly key: string;
  of(series: number): string;
  /** The series with one of these values, and perhaps others. */
  find(values: Iterable<string>): number[];
}

/** A series from `from` until `to` (ms since 1970, [from, to)), in which its tags are those of `set` and its own. */
export interface Life {
  readonly series: number;
  readonly from: number;
  readonly to: number;
  readonly set: number;
}

export interface Version {
  readonly from: number;
  readonly tags: Tags;
}

/**
 * The tags of a measurement's series over the time of events. What many series have in common is kept once: 8 bytes a series beside its
 * own tag, which is not kept here at all.
 */
export class SeriesTags {
  readonly own: OwnTag | undefined;
  /** Tag sets without the own tag. Any may be one that no series has any more. */
  readonly sets: Tags[] = [];
  readonly #setNumbers = new Map<string, number>();
  /** Series by their place; mostly rising. */
  #series = new Uint32Array(16);
  /** By place: the number of a set, or -1 - the number of a history. */
  #holds = new Int32Array(16);
  readonly #histories: (readonly Life[])[] = [];
  #size = 0;
  #version = 0;
  /** Only where series do not rise. */
  #places: Map<number, number> | undefined;
  #keys: readonly string[] | undefined;
  #changes: Float64Array | undefined;

  constructor(own?: OwnTag) {
    this.own = own;
  }

  /** Another whenever something of it has changed. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#size;
  }

  /** Of all series, in byte order. */
  get keys(): readonly string[] {
    return (this.#keys ??= this.#findKeys());
  }

  /** When any series' tags changed, or once were said to have: ms since 1970, rising. */
  get changes(): Float64Array {
    return (this.#changes ??= Float64Array.from(
      new Set(this.#histories.flatMap((lives) => lives.flatMap(({ from, to }) => [from, to]))),
    ).sort());
  }

  /** Says, or says anew, what a series' tags are. @param versions  by `from`, rising; the first holds before its `from`, too */
  put(series: number, versions: readonly Version[]): void {
    const lives = this.#livesOf(series, versions);
    let place = this.#placeOf(series);
    if (place === -1) {
      place = this.#size;
      this.#reserve(place + 1);
      this.#series[place] = series;
      if (place > 0 && this.#series[place - 1]! > series)
        this.#places ??= new Map(Array.from(this.#series.subarray(0, place), (number, at) => [number, at]));
      this.#places?.set(series, place);
      this.#size += 1;
    }
    this.#holds[place] = lives.length === 1 ? lives[0]!.set : -this.#histories.push(lives);
    this.#keys = undefined;
    this.#changes = undefined;
    this.#version += 1;
  }

  has(series: number): boolean {
    return this.#placeOf(series) !== -1;
  }

  /** What is known of one series. */
  lives(series: number): readonly Life[] {
    const place = this.#placeOf(series);
    return place === -1 ? [] : this.livesAt(place);
  }

  /** @param place  0 … size - 1 */
  livesAt(place: number): readonly Life[] {
    const holds = this.#holds[place]!;
    if (holds < 0) return this.#histories[-holds - 1]!;
    return [{ series: this.#series[place]!, ...always, set: holds }];
  }

  #livesOf(series: number, versions: readonly Version[]): Life[] {
    const lives: Life[] = [];
    for (const [at, { from, tags }] of versions.entries()) {
      const set = this.#setOf(tags);
      const last = lives.at(-1);
      const to = versions[at + 1]?.from ?? Number.POSITIVE_INFINITY;
      if (last?.set === set) lives[lives.length - 1] = { ...last, to };
      else lives.push({ series, from: at === 0 ? Number.NEGATIVE_INFINITY : from, to, set });
    }
    return lives.length > 0 ? lives : [{ series, ...always, set: this.#setOf({}) }];
  }

  #setOf(tags: Tags): number {
    const key = Object.keys(tags)
      .toSorted(compareNames)
      .map((name) => `${name}\u0000${tags[name]}`)
      .join("\u0000");
    const known = this.#setNumbers.get(key);
    if (known !== undefined) return known;
    this.#setNumbers.set(key, this.sets.length);
    return this.sets.push(Object.assign(noTags(), tags)) - 1;
  }

  #findKeys(): string[] {
    const used = new Uint8Array(this.sets.length);
    for (let place = 0; place < this.#size; place++) {
      const holds = this.#holds[place]!;
      if (holds >= 0) used[holds] = 1;
      else for (const { set } of this.#histories[-holds - 1]!) used[set] = 1;
    }
    const keys = new Set(this.sets.flatMap((tags, set) => (used[set] === 1 ? Object.keys(tags) : [])));
    if (this.own !== undefined && this.#size > 0) keys.add(this.own.key);
    return [...keys].toSorted(compareNames);
  }

  #placeOf(series: number): number {
    if (this.#places !== undefined) return this.#places.get(series) ?? -1;
    let [low, high] = [0, this.#size - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#series[middle]!;
      if (found === series) return middle;
      if (found < series) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #reserve(size: number): void {
    if (size <= this.#series.length) return;
    const series = new Uint32Array(2 * size);
    series.set(this.#series);
    this.#series = series;
    const holds = new Int32Array(2 * size);
    holds.set(this.#holds);
    this.#holds = holds;
  }
}

const always = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY } as const;
