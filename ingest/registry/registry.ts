import { Counter, Gauge } from "prom-client";
import type { Registry as Metrics } from "prom-client";
import { hasCode } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import type { RecordReader, RecordStore, RecordTransaction } from "#runtime/record-store.ts";
import type { Birth } from "#telemetry/birth.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { SensorAttributes } from "#telemetry/sensor.ts";
import { applyBirth } from "./birth.ts";
import type { BirthLimits, RefusedSensor } from "./birth.ts";
import type { SensorOwner } from "./sensor-index.ts";
import { attributesAt } from "./sensor-record.ts";
import type { SensorRecord, SensorRef } from "./sensor-record.ts";
import { StoredSensors } from "./stored-sensors.ts";
import {
  allSensors,
  changesSince,
  readGatewayBirths,
  writeGatewayBirth,
  writeSensors,
} from "./sensor-table.ts";
import type { GatewayBirth } from "./sensor-table.ts";

/**
 * Who the sensors are: births and operators' decisions, on disk in a folder that the platform and the CLI share. Whose each sensor is
 * is in memory, for the hot path. What another process changes is seen in well under a second.
 */
export interface Registry extends AsyncDisposable {
  /** Sensors known, retired ones too. */
  readonly count: number;
  /** Once per new key of a payload: who owns the sensor; undefined for an unknown one. */
  lookup(agency: string, sensor: string): SensorOwner | undefined;
  /** What is known of a sensor for an event at `time` (milliseconds since 1970); undefined for an unknown one. */
  attributes(agency: string, sensor: string, time: number): SensorAttributes | undefined;
  record(agency: string, sensor: string): SensorRecord | undefined;
  /** Every sensor with this id: one an agency at most. */
  named(sensor: string): readonly SensorRecord[];
  /** All sensors, in no order. */
  records(): Iterable<SensorRecord>;
  /** The sensors that a gateway owns, retired ones too. */
  sensorsOf(gateway: string): readonly SensorRecord[];
  /** How many those are. */
  sensorCount(gateway: string): number;
  lastBirth(gateway: string): GatewayBirth | undefined;
  /**
   * Takes a birth that came at `now`; what it changes is on disk (fsynced) when this returns. One that says nothing new writes
   * nothing.
   * @throws MarsadError RECORDS_UNWRITABLE: the disk refuses; nothing was changed, the birth must not be acknowledged.
   */
  birth(gateway: GatewayIdentity, birth: Birth, now: number): BirthOutcome;
  /**
   * Makes the next record of each sensor from what is on disk, all or nothing, on disk when this returns.
   * @param change  Gets undefined for an unknown sensor; may throw, then nothing is changed.
   * @returns those that differ from before.
   * @throws MarsadError RECORDS_UNWRITABLE
   */
  change(sensors: readonly SensorRef[], change: SensorChange): readonly SensorRecord[];
  /** Why a change was refused in the last seconds, with none taken since. A birth that waits is offered again each second. */
  trouble(): string | undefined;
  /** Calls `listener` after every change by this process or another one. @returns how to stop that. */
  onChange(listener: SensorListener): () => void;
}

/** @param came  Those of the changed sensors that were not known before. */
export type SensorListener = (changed: readonly SensorRef[], came: ReadonlySet<SensorRef>) => void;

export interface BirthOutcome {
  readonly changed: readonly SensorRef[];
  readonly refused: readonly RefusedSensor[];
}

export type SensorChange = (record: SensorRecord | undefined, sensor: SensorRef) => SensorRecord;

export interface RegistryOptions {
  /** The folder, made if missing. */
  readonly path: string;
  readonly limits: BirthLimits;
  readonly log: Log;
  readonly metrics?: Metrics;
}

/** @throws MarsadError RECORDS_CORRUPT, RECORDS_UNWRITABLE */
export async function openRegistry({ path, limits, log, metrics }: RegistryOptions): Promise<Registry> {
  const store = await openRecordStore(path);
  const registry = new StoredRegistry(store, limits, log);
  registry.open(metrics);
  return registry;
}

class StoredRegistry implements Registry {
  readonly #store: RecordStore;
  readonly #limits: BirthLimits;
  readonly #log: Log;
  readonly #sensors: StoredSensors;
  readonly #births = new Map<string, GatewayBirth>();
  readonly #listeners = new Set<SensorListener>();
  readonly #closed = new AbortController();
  /** Changes before this number are in memory. */
  #seen = -1;
  #birthsTaken: Counter<"result"> | undefined;
  #refusal: { readonly why: string; readonly at: number } | undefined;

  constructor(store: RecordStore, limits: BirthLimits, log: Log) {
    this.#store = store;
    this.#sensors = new StoredSensors(store);
    this.#limits = limits;
    this.#log = log;
  }

  open(metrics: Metrics | undefined): void {
    this.#catchUp(this.#store);
    for (const birth of readGatewayBirths(this.#store)) this.#births.set(birth.gateway, birth);
    this.#store.watch(() => this.#refresh(), { signal: this.#closed.signal });
    if (metrics) this.#birthsTaken = registerMetrics(metrics, this.#sensors);
  }

  get count(): number {
    return this.#sensors.size;
  }

  lookup(agency: string, sensor: string): SensorOwner | undefined {
    return this.#sensors.owner(agency, sensor);
  }

  attributes(agency: string, sensor: string, time: number): SensorAttributes | undefined {
    const record = this.#sensors.get(agency, sensor);
    return record && attributesAt(record, time);
  }

  record(agency: string, sensor: string): SensorRecord | undefined {
    return this.#sensors.get(agency, sensor);
  }

  named(sensor: string): readonly SensorRecord[] {
    return this.#sensors.named(sensor);
  }

  records(): Iterable<SensorRecord> {
    return allSensors(this.#store);
  }

  sensorsOf(gateway: string): readonly SensorRecord[] {
    return this.#sensors.of(gateway);
  }

  sensorCount(gateway: string): number {
    return this.#sensors.countOf(gateway);
  }

  lastBirth(gateway: string): GatewayBirth | undefined {
    return this.#births.get(gateway);
  }

  birth(gateway: GatewayIdentity, birth: Birth, now: number): BirthOutcome {
    const last: GatewayBirth = { gateway: gateway.name, agency: gateway.agency, agent: birth.agent, at: now };
    // What memory lacks of the disk's newest changes can wait for the next birth: this one then says nothing new.
    let applied = applyBirth(this.#sensors, gateway, birth, now, this.#limits);
    const isNews = applied.records.length > 0 || this.#births.get(gateway.name)?.agent !== birth.agent;
    if (isNews) {
      this.#write((records) => {
        applied = applyBirth(this.#sensors, gateway, birth, now, this.#limits);
        writeGatewayBirth(records, last);
        return applied.records;
      });
    }
    this.#births.set(gateway.name, last);
    this.#birthsTaken?.inc({ result: isNews ? "changed" : "unchanged" });
    return { changed: applied.records.map(refOf), refused: applied.refused };
  }

  change(sensors: readonly SensorRef[], change: SensorChange): readonly SensorRecord[] {
    return this.#write(() =>
      sensors.flatMap((ref) => {
        const before = this.#sensors.get(ref.agency, ref.sensor);
        const after = change(before, ref);
        return after === before ? [] : [after];
      }),
    );
  }

  trouble(): string | undefined {
    const { why, at = -Infinity } = this.#refusal ?? {};
    return performance.now() - at < refusalStands ? why : undefined;
  }

  onChange(listener: SensorListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    await this.#store[Symbol.asyncDispose]();
  }

  /** One transaction; `make` works on an index that knows all that is on disk, and what it returns is written. */
  #write(make: (records: RecordTransaction) => readonly SensorRecord[]): readonly SensorRecord[] {
    const { made, next } = this.#transaction((records) => {
      this.#catchUp(records);
      const made = make(records);
      writeSensors(records, made);
      return { made, next: this.#seen + made.length };
    });
    this.#take(made, true);
    this.#seen = next;
    return made;
  }

  #transaction<T>(work: (records: RecordTransaction) => T): T {
    try {
      const result = this.#store.transaction(work);
      this.#refusal = undefined;
      return result;
    } catch (error) {
      if (hasCode(error, "RECORDS_UNWRITABLE"))
        this.#refusal = { why: (error as Error).message, at: performance.now() };
      throw error;
    }
  }

  #refresh(): void {
    try {
      this.#catchUp(this.#store);
    } catch (error) {
      this.#log.error({ err: error }, "The sensor registry cannot be read again after a change.");
    }
  }

  /** Takes over what other processes have written. */
  #catchUp(records: RecordReader): void {
    const { next, changed } = changesSince(records, this.#seen);
    this.#take(changed, false);
    this.#seen = next;
  }

  #take(records: Iterable<SensorRecord>, areRecent: boolean): void {
    const changed: SensorRef[] = [];
    const came = new Set<SensorRef>();
    for (const record of records) {
      const isNew = this.#sensors.put(record, areRecent);
      if (this.#listeners.size === 0) continue; // at the start all of them come
      const ref = refOf(record);
      changed.push(ref);
      if (isNew) came.add(ref);
    }
    if (changed.length === 0) return;
    // Not from within the caller's turn: a listener may ask for anything, a birth included.
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(changed, came);
    });
  }
}

/** Milliseconds for which a refusal is told; longer than it takes until what was refused is tried again. */
const refusalStands = 5_000;

function refOf({ agency, sensor }: SensorRecord): SensorRef {
  return { agency, sensor };
}

/** @returns the counter of births. */
function registerMetrics(metrics: Metrics, known: { readonly size: number }): Counter<"result"> {
  const sensors = new Gauge({
    name: "marsad_ingest_registry_sensors",
    help: "Sensors in the registry, retired ones too.",
    registers: [],
    collect() {
      this.set(known.size);
    },
  });
  metrics.registerMetric(sensors);
  return new Counter({
    name: "marsad_ingest_registry_births_total",
    help: "Births taken, by whether they said anything new.",
    labelNames: ["result"],
    registers: [metrics],
  });
}
