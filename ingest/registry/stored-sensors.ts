import type { RecordReader } from "#runtime/record-store.ts";
import type { KnownSensors } from "./birth.ts";
import { SensorIndex, type SensorOwner } from "./sensor-index.ts";
import { isRetired, type SensorRecord, sensorKey } from "./sensor-record.ts";
import { readSensor } from "./sensor-table.ts";

/** Records kept in memory: all of a city's, and the last used ones of a country's. */
const cachedRecords = 10_000;

/** The sensors known so far: in memory whose each is, on disk the rest, of which the last used records are in memory too. */
export class StoredSensors implements KnownSensors {
  readonly #records: RecordReader;
  readonly #index = new SensorIndex();
  /** Least recently used first. */
  readonly #cache = new Map<string, SensorRecord>();

  constructor(records: RecordReader) {
    this.#records = records;
  }

  get size(): number {
    return this.#index.size;
  }

  owner(agency: string, sensor: string): SensorOwner | undefined {
    return this.#index.owner(agency, sensor);
  }

  get(agency: string, sensor: string): SensorRecord | undefined {
    if (!this.#index.has(agency, sensor)) return undefined;
    const key = sensorKey(agency, sensor);
    const record = this.#cache.get(key) ?? readSensor(this.#records, key);
    if (record) this.#remember(key, record);
    return record;
  }

  /** Sensors with this id, in whichever agencies. */
  named(sensor: string): SensorRecord[] {
    return this.#index.agencies().flatMap((agency) => this.get(agency, sensor) ?? []);
  }

  of(gateway: string): SensorRecord[] {
    return this.#index.of(gateway).flatMap(({ agency, sensor }) => this.get(agency, sensor) ?? []);
  }

  countOf(gateway: string): number {
    return this.#index.countOf(gateway);
  }

  activeSensors(gateway: string): number {
    return this.#index.activeSensors(gateway);
  }

  /** The record is on disk. @param isRecent  It will be asked for, probably. */
  put(record: SensorRecord, isRecent: boolean): void {
    this.#index.put(record, { gateway: record.gateway, retired: isRetired(record) });
    const key = sensorKey(record.agency, record.sensor);
    if (isRecent || this.#cache.has(key)) this.#remember(key, record);
  }

  #remember(key: string, record: SensorRecord): void {
    this.#cache.delete(key);
    this.#cache.set(key, record);
    if (this.#cache.size > cachedRecords) this.#cache.delete(this.#cache.keys().next().value!);
  }
}
