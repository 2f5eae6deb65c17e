import type { RecordReader } from "#runtime/record-store.ts";
import type { KnownSensors } from "./birth.ts";
import { SensorIndex, type SensorOwner } from "./sensor-index.ts";
import { isRetired, type SensorRecord, sensorKey } from "./sensor-record.ts";
import { readSensor } from "./sensor-table.ts";

/** All of a city's, and the last used ones of a country's. */
const cityRecords = 10_000;

/** The sensors known so far: in memory whose each is, on disk the rest, of which the last used records are in memory too. */
export class StoredSensors implements KnownSensors {
  readonly #records: RecordReader;
  readonly #cachedRecords: number;
  readonly #index = new SensorIndex();
  /** Those used lately, and those before: two generations, since a `Map` from which the oldest is taken each time passes over all its holes. */
  #used = new Map<string, SensorRecord>();
  #usedBefore = new Map<string, SensorRecord>();

  /** @param cachedRecords  Kept in memory, up to twice as many. */
  constructor(records: RecordReader, cachedRecords = cityRecords) {
    this.#records = records;
    this.#cachedRecords = cachedRecords;
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
    const used = this.#used.get(key);
    if (used) return used;
    const record = this.#usedBefore.get(key) ?? readSensor(this.#records, key);
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

  /** The record is on disk. @param isRecent  It will be asked for, probably. @returns whether the sensor is new. */
  put(record: SensorRecord, isRecent: boolean): boolean {
    const isNew = this.#index.put(record, { gateway: record.gateway, retired: isRetired(record) });
    const key = sensorKey(record.agency, record.sensor);
    if (isRecent || this.#used.has(key)) this.#remember(key, record);
    else this.#usedBefore.delete(key);
    return isNew;
  }

  #remember(key: string, record: SensorRecord): void {
    if (this.#used.size >= this.#cachedRecords) {
      this.#usedBefore = this.#used;
      this.#used = new Map();
    }
    this.#used.set(key, record);
  }
}
