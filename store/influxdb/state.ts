import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { lockFolder } from "#runtime/data-lock.ts";
import { MarsadError, hasCode } from "#runtime/errors.ts";
import { type RecordStore, type RecordTransaction, openRecordStore } from "#runtime/record-store.ts";
import type { FieldType } from "#telemetry/catalogue.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import type { MeasurementMinutes } from "../minutes.ts";
import type { GatewayTally, StoreRefusal } from "../port.ts";
import { type MarkedHour, Marks } from "./marks.ts";

/** The version of the records' layout. Before 2 there were no marks of what is to be rolled up. */
const layout = 2;
/** So that text keys stand in order of number. */
const digits = 16;

interface StateMeta {
  readonly layout: number;
  readonly url: string;
  readonly database: string;
}

/** What a batch changes beside the rows that are in InfluxDB already. */
export interface StateChange {
  readonly journal: string;
  readonly position: number;
  readonly entries: readonly SeriesEntry[];
  readonly stored: ReadonlyMap<string, number>;
  readonly learnt: ReadonlyMap<string, ReadonlyMap<string, FieldType>>;
  readonly refused: readonly StoreRefusal[];
  /** In which readings were stored. */
  readonly minutes: MeasurementMinutes;
}

/**
 * What InfluxDB cannot keep for us, in a file of its own beside the journal: positions, dictionary, tallies, field types and what was
 * refused. A batch's change is one transaction, after InfluxDB's answer: a crash between the two writes the same lines again, which
 * changes nothing.
 */
export class InfluxState implements AsyncDisposable {
  readonly dictionary = new Map<number, SeriesEntry>();
  readonly types = new Map<string, Map<string, FieldType>>();
  readonly marks = new Marks();
  readonly #path: string;
  readonly #lock: Disposable;
  readonly #records: RecordStore;
  readonly #positions = new Map<string, number>();
  readonly #tallies = new Map<string, number>();
  readonly #seriesOf = new Map<string, number>();

  private constructor(path: string, lock: Disposable, records: RecordStore) {
    this.#path = path;
    this.#lock = lock;
    this.#records = records;
  }

  /** @throws MarsadError STORE_LOCKED, STORE_FORMAT, STORE_FULL, STORE_UNAVAILABLE */
  static async open(folder: string): Promise<InfluxState> {
    if (existsSync(join(folder, "marsad.duckdb"))) {
      throw new MarsadError(
        "STORE_FORMAT",
        `${folder} holds a DuckDB store: say --store duckdb, or give another --data folder`,
      );
    }
    const path = join(folder, "influxdb");
    return await translated(path, async () => {
      await mkdir(path, { recursive: true });
      const lock = lockFolder(path);
      try {
        const state = new InfluxState(path, lock, await openRecordStore(path));
        state.#load();
        await state.#migrate();
        return state;
      } catch (error) {
        lock[Symbol.dispose]();
        throw error;
      }
    });
  }

  position(journal: string): number {
    return this.#positions.get(journal) ?? 0;
  }

  tallies(): GatewayTally[] {
    return Array.from(this.#tallies, ([gateway, stored]) => ({ gateway, stored, merged: 0, duplicate: 0 }));
  }

  series(): SeriesEntry[] {
    return [...this.dictionary.values()].toSorted((a, b) => a.series - b.series);
  }

  /** Series that the measurement has. */
  seriesCount(measurement: string): number {
    return this.#seriesOf.get(measurement) ?? 0;
  }

  refusals(journal: string): StoreRefusal[] {
    return this.#records
      .entries("refusals", { prefix: `${journal} ` })
      .map(([, refusal]) => refusal as StoreRefusal);
  }

  /** Are there readings of an older version, which kept no marks? */
  get isUnmarked(): boolean {
    return this.#records.get("meta", "unmarked") === true;
  }

  /** One at a time, as `commit`. @throws MarsadError STORE_FULL: nothing was changed */
  async keepMarks(hours: readonly MarkedHour[], isUnmarked = this.isUnmarked): Promise<void> {
    if (hours.length === 0 && isUnmarked === this.isUnmarked) return;
    await this.#write((records) => {
      putMarks(records, hours);
      if (!isUnmarked) records.remove("meta", "unmarked");
    });
    this.marks.put(hours);
  }

  /** Where the rows are; other than before is worth a word to the operator. @returns where they were before, if so. */
  async remember(url: string, database: string): Promise<{ url: string; database: string } | undefined> {
    const before = this.#records.get("meta", "state") as StateMeta | undefined;
    if (before?.url === url && before.database === database) return undefined;
    await this.#write((records) =>
      records.put("meta", "state", { layout, url, database } satisfies StateMeta),
    );
    return before;
  }

  /** @throws MarsadError STORE_FULL: nothing was changed */
  async commit(change: StateChange): Promise<void> {
    const { journal, position, entries, stored, learnt, refused, minutes } = change;
    const marked = this.marks.news(minutes);
    await this.#write((records) => {
      putMarks(records, marked);
      records.put("positions", journal, position);
      for (const entry of entries) records.put("series", padded(entry.series), entry);
      for (const [gateway, readings] of stored)
        records.put("tallies", gateway, (this.#tallies.get(gateway) ?? 0) + readings);
      for (const [measurement, types] of learnt) records.put("fields", measurement, [...types]);
      for (const [i, refusal] of refused.entries())
        records.put("refusals", `${journal} ${padded(refusal.position)} ${padded(i)}`, refusal);
    });
    this.marks.put(marked);
    this.#positions.set(journal, position);
    for (const [gateway, readings] of stored)
      this.#tallies.set(gateway, (this.#tallies.get(gateway) ?? 0) + readings);
    for (const entry of entries) this.#learnSeries(entry);
    for (const [measurement, types] of learnt) this.types.set(measurement, new Map(types));
  }

  async forgetRefusals(journal: string, before: number): Promise<void> {
    const keys = this.#records.entries("refusals", { prefix: `${journal} ` });
    const old = keys.filter(([, refusal]) => (refusal as StoreRefusal).position < before);
    if (old.length === 0) return;
    await this.#write((records) => {
      for (const [key] of old) records.remove("refusals", key);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#records[Symbol.asyncDispose]();
    this.#lock[Symbol.dispose]();
  }

  #load(): void {
    const meta = this.#records.get("meta", "state") as StateMeta | undefined;
    if (meta !== undefined && meta.layout > layout) {
      throw new MarsadError(
        "STORE_FORMAT",
        `${this.#path} has layout ${meta.layout}, this version knows up to ${layout}; use the newer version that wrote it`,
      );
    }
    for (const [journal, position] of this.#records.entries("positions"))
      this.#positions.set(journal, position as number);
    for (const [gateway, stored] of this.#records.entries("tallies"))
      this.#tallies.set(gateway, stored as number);
    for (const [, entry] of this.#records.entries("series")) this.#learnSeries(entry as SeriesEntry);
    for (const [measurement, types] of this.#records.entries("fields"))
      this.types.set(measurement, new Map(types as [string, FieldType][]));
    this.marks.load(this.#records.entries("dirty").map(([, hour]) => hour as MarkedHour));
  }

  async #migrate(): Promise<void> {
    const meta = this.#records.get("meta", "state") as StateMeta | undefined;
    if (meta === undefined || meta.layout === layout) return;
    await this.#write((records) => {
      records.put("meta", "unmarked", true);
      records.put("meta", "state", { ...meta, layout } satisfies StateMeta);
    });
  }

  #learnSeries(entry: SeriesEntry): void {
    this.dictionary.set(entry.series, entry);
    this.#seriesOf.set(entry.measurement, this.seriesCount(entry.measurement) + 1);
  }

  async #write(work: Parameters<RecordStore["transaction"]>[0]): Promise<void> {
    await translated(this.#path, async () => {
      this.#records.transaction(work);
    });
  }
}

async function translated<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (hasCode(error, "DATA_LOCKED")) throw new MarsadError("STORE_LOCKED", message, { cause: error });
    if (hasCode(error, "RECORDS_UNWRITABLE")) throw new MarsadError("STORE_FULL", message, { cause: error });
    if (hasCode(error, "RECORDS_CORRUPT"))
      throw new MarsadError("STORE_FORMAT", `${message}: restore it from a backup`, { cause: error });
    if (error instanceof MarsadError) throw error;
    throw new MarsadError("STORE_UNAVAILABLE", `${path}: ${message}`, { cause: error });
  }
}

function putMarks(records: RecordTransaction, hours: readonly MarkedHour[]): void {
  for (const hour of hours) {
    const key = `${hour.measurement} ${hour.hour}`;
    if (hour.marks.length === 0) records.remove("dirty", key);
    else records.put("dirty", key, hour);
  }
}

function padded(number: number): string {
  return String(number).padStart(digits, "0");
}
