import type { SeriesEntry } from "./series.ts";
import { haveSameBytes, type TextContent, TextColumn, TextIndex } from "./text-table.ts";

/**
 * Series by their numbers: 10 bytes and the sensor's id for each, no object, no string. Agencies and measurements are few, and interned.
 */
export class SeriesTable {
  /** Whose ids stand in the texts: agency and measurement. */
  readonly #scopes: Scope[];
  readonly #scopeNumbers = new Map<string, number>();
  /** Of each entry, in the order they came: the number of its scope, a space, the sensor's id. */
  readonly #texts: TextColumn;
  #index: TextIndex | undefined;
  #numbers: Uint32Array<ArrayBuffer>;
  /** Entries by series number, of those that do not stand at their number. Numbers are given from 0 on: these are few, or none. */
  readonly #misplaced = new Map<number, number>();

  /** @param content  Of `copy`; its buffers are this table's from now on. */
  constructor(content?: SeriesContent) {
    this.#scopes = [...(content?.scopes ?? [])];
    for (const [number, scope] of this.#scopes.entries()) this.#scopeNumbers.set(scopeKey(scope), number);
    this.#texts = new TextColumn(content?.texts);
    this.#numbers = content?.numbers ?? new Uint32Array(firstCapacity);
    for (let entry = 0; entry < this.size; entry += 1) this.#place(this.#numbers[entry]!, entry);
  }

  static of(entries: Iterable<SeriesEntry>): SeriesTable {
    const table = new SeriesTable();
    for (const entry of entries) table.add(entry);
    return table;
  }

  get size(): number {
    return this.#texts.size;
  }

  /** The smallest number above all that are known. */
  get next(): number {
    let next = 0;
    for (let entry = 0; entry < this.size; entry += 1) next = Math.max(next, this.#numbers[entry]! + 1);
    return next;
  }

  has(series: number): boolean {
    return this.#entryOf(series) !== undefined;
  }

  get(series: number): SeriesEntry | undefined {
    const entry = this.#entryOf(series);
    return entry === undefined ? undefined : this.#at(entry);
  }

  /**
   * Builds the index that `numberOf` needs, 8 to 16 bytes a series.
   * @throws RangeError when a series has two numbers
   */
  index(): TextIndex {
    return (this.#index ??= new TextIndex(this.#texts));
  }

  numberOf(agency: string, measurement: string, sensor: string): number | undefined {
    const scope = this.#scopeNumbers.get(scopeKey({ agency, measurement }));
    if (scope === undefined) return undefined;
    const entry = this.index().find(textOf(scope, sensor));
    return entry === -1 ? undefined : this.#numbers[entry];
  }

  /** The series of all sensors with this id, one an agency and measurement at most. */
  ofSensor(sensor: string): SeriesEntry[] {
    return this.#scopes.flatMap((_, scope) => {
      const entry = this.index().find(textOf(scope, sensor));
      return entry === -1 ? [] : [this.#at(entry)];
    });
  }

  /** Adds a series that is not known yet, nor its number. */
  add({ series, agency, measurement, sensor }: SeriesEntry): void {
    const text = textOf(this.#scope(agency, measurement), sensor);
    const entry = this.#index ? this.#index.add(text) : this.#texts.push(text);
    if (entry === this.#numbers.length) this.#numbers = grown(this.#numbers, entry + 1);
    this.#numbers[entry] = series;
    this.#place(series, entry);
  }

  /** In the order they came. */
  [Symbol.iterator](): Generator<SeriesEntry> {
    return this.from(0);
  }

  /** In the order they came, without the first so many. */
  *from(entry: number): Generator<SeriesEntry> {
    for (let at = entry; at < this.size; at += 1) yield this.#at(at);
  }

  /** Are the first entries those of `other`, in their order? */
  beginsWith(other: SeriesTable): boolean {
    return (
      other.#scopes.every((scope, number) => this.#scopeNumbers.get(scopeKey(scope)) === number) &&
      this.#texts.beginsWith(other.#texts) &&
      haveSameBytes(this.#numbers.subarray(0, other.size), other.#numbers.subarray(0, other.size))
    );
  }

  /** A copy of all of it, to be sent to another thread with `buffersOf`. */
  copy(): SeriesContent {
    return { scopes: this.#scopes, texts: this.#texts.copy(), numbers: this.#numbers.slice(0, this.size) };
  }

  /** Bytes held. */
  get byteLength(): number {
    return this.#texts.byteLength + this.#numbers.byteLength + (this.#index?.byteLength ?? 0);
  }

  #at(entry: number): SeriesEntry {
    const text = this.#texts.get(entry);
    const space = text.indexOf(" ");
    const { agency, measurement } = this.#scopes[Number(text.slice(0, space))]!;
    return { series: this.#numbers[entry]!, agency, measurement, sensor: text.slice(space + 1) };
  }

  #scope(agency: string, measurement: string): number {
    const scope = { agency, measurement };
    const known = this.#scopeNumbers.get(scopeKey(scope));
    if (known !== undefined) return known;
    this.#scopeNumbers.set(scopeKey(scope), this.#scopes.length);
    return this.#scopes.push(scope) - 1;
  }

  #place(series: number, entry: number): void {
    if (series !== entry) this.#misplaced.set(series, entry);
  }

  #entryOf(series: number): number | undefined {
    const atItsNumber = series < this.size && this.#numbers[series] === series;
    return atItsNumber ? series : this.#misplaced.get(series);
  }
}

interface Scope {
  readonly agency: string;
  readonly measurement: string;
}

/** A `SeriesTable` as it crosses threads. */
export interface SeriesContent {
  readonly scopes: readonly Scope[];
  readonly texts: TextContent;
  readonly numbers: Uint32Array<ArrayBuffer>;
}

/** What of it is moved, not copied. */
export function buffersOf({ texts, numbers }: SeriesContent): ArrayBuffer[] {
  return [texts.bytes.buffer, texts.ends.buffer, numbers.buffer];
}

const firstCapacity = 256;

function scopeKey({ agency, measurement }: Scope): string {
  return `${agency} ${measurement}`;
}

/** Names hold no space. */
function textOf(scope: number, sensor: string): string {
  return `${scope} ${sensor}`;
}

function grown(from: Uint32Array<ArrayBuffer>, atLeast: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(Math.max(atLeast, 2 * from.length));
  to.set(from);
  return to;
}
