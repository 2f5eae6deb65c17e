import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { hasAt } from "#telemetry/bytes.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import { SeriesIndex, hashByte, hashSeed } from "#telemetry/line-protocol/series-index.ts";
import { SensorId } from "#telemetry/names.ts";
import { FieldReading, FieldScanner } from "./field-scanner.ts";
import { LineOutput } from "./line-output.ts";
import { type FilterRule, matches } from "./rule.ts";
import { RuleFields } from "./rule-fields.ts";
import { type FilterCounts, SeriesFilter } from "./series-filter.ts";

/** Series that filters remember; those beyond pass untouched. A birth has room for some 4,000 sensors. */
const maxSeries = 5000;
/** Longer lines pass untouched: one may be held for each series. */
const maxLineBytes = 1024;
/** Milliseconds ahead: the platform refuses such readings, and they must not become a series' newest. */
const maxFuture = 300_000;

const space = 0x20;
const latin1 = new TextDecoder("latin1");
const encoder = new TextEncoder();

/**
 * The filters between an agent's inputs and its spool, over whole lines that end in a time. Lines that no rule names are told from their
 * measurement's bytes alone. State lives in memory and is bounded; the first reading of each series always goes.
 */
export class LineFilters {
  /** Lines to be sent before the one that was offered, or by themselves after `tick` and `flush`. */
  readonly out = new LineOutput();
  readonly counts: FilterCounts = { duplicates: 0, withinBand: 0, averaged: 0, averages: 0 };

  /** Milliseconds that the clock of arrivals is known to be ahead. */
  clockLead = 0;

  readonly #catalogue: Catalogue;
  #rules: readonly FilterRule[] = [];
  /** `measurement,` of each rule; undefined when one has a pattern, so that all lines are looked at. */
  #heads: readonly Uint8Array[] | undefined = [];
  #fields = new Map<string, RuleFields>();
  #index = new SeriesIndex();
  /** By the index's entry; undefined: no rule names the series. */
  #series: (SeriesFilter | undefined)[] = [];
  readonly #scanner = new FieldScanner();
  readonly #reading = new FieldReading();

  constructor(rules: readonly FilterRule[], catalogue: Catalogue = builtinCatalogue) {
    this.#catalogue = catalogue;
    this.configure(rules);
  }

  /** Is there any rule? Without, nothing needs to be offered. */
  get active(): boolean {
    return this.#rules.length > 0;
  }

  /** Begins anew with other rules; what is held must have been flushed. */
  configure(rules: readonly FilterRule[]): void {
    this.#rules = rules;
    const names = new Set(rules.map(({ measurement }) => measurement));
    const hasPattern = [...names].some((name) => name.includes("*"));
    this.#heads = hasPattern ? undefined : Array.from(names, (name) => encoder.encode(`${name},`));
    this.#fields = new Map();
    this.#index = new SeriesIndex();
    this.#series = [];
  }

  /**
   * Offers the line `bytes[start, end)`, without its newline.
   * @param arrival  Milliseconds since 1970, by the gateway's clock.
   * @returns whether it goes as it stands, behind what is in `out`.
   */
  offer(bytes: Buffer, start: number, end: number, arrival: number): boolean {
    if (!this.#isNamed(bytes, start, end) || end - start > maxLineBytes) return true;
    let hash = hashSeed;
    let keyEnd = start;
    while (keyEnd < end && bytes[keyEnd]! > space) {
      hash = hashByte(hash, bytes[keyEnd]!);
      keyEnd += 1;
    }
    let entry = this.#index.find(bytes, start, keyEnd, hash);
    if (entry === -1) {
      if (this.#index.size >= maxSeries) return true;
      entry = this.#addSeries(bytes, start, keyEnd, hash);
    }
    const series = this.#series[entry];
    if (series === undefined) return true;
    const { fields } = series;
    const reading = this.#reading;
    if (!this.#scanner.scan(bytes, keyEnd + 1, end, fields.layout, reading)) return true;
    fields.follow();
    const now = arrival - this.clockLead;
    if (reading.time > now + maxFuture) return true;
    return series.take(reading, bytes, start, end, now, this.out);
  }

  /** To be called about once a second: fills `out` with what has waited long enough. @param clock  The gateway's. */
  tick(clock: number): void {
    const now = clock - this.clockLead;
    for (const series of this.#series) series?.tick(now, this.out);
  }

  /** Fills `out` with all that is held: at the end, or before other rules come. */
  flush(): void {
    for (const series of this.#series) series?.flush(this.out);
  }

  #isNamed(bytes: Buffer, start: number, end: number): boolean {
    const heads = this.#heads;
    if (heads === undefined) return true;
    for (let i = 0; i < heads.length; i += 1) {
      const head = heads[i]!;
      if (start + head.length < end && hasAt(bytes, start, head)) return true;
    }
    return false;
  }

  #addSeries(bytes: Buffer, start: number, keyEnd: number, hash: number): number {
    const entry = this.#index.add(bytes, start, keyEnd, hash, 0, { series: 0, gateway: 0 });
    const key = latin1.decode(bytes.subarray(start, keyEnd));
    this.#series[entry] = this.#filterOf(key);
    return entry;
  }

  /** undefined for a series that no rule names, and for a key that the platform will refuse. */
  #filterOf(key: string): SeriesFilter | undefined {
    const [measurement, tag, ...others] = key.split(",");
    if (measurement === undefined || tag?.startsWith("sensor=") !== true || others.length > 0)
      return undefined;
    const sensor = tag.slice("sensor=".length);
    if (!SensorId.safeParse(sensor).success) return undefined;
    const place = this.#rules.findIndex(
      (rule) => matches(rule.measurement, measurement) && matches(rule.sensors, sensor),
    );
    const rule = this.#rules[place];
    if (rule === undefined) return undefined;
    const name = `${place} ${measurement}`;
    const fields = this.#fields.get(name) ?? new RuleFields(rule, measurement, this.#catalogue);
    this.#fields.set(name, fields);
    return new SeriesFilter(key, fields, this.counts);
  }
}
