import type { KnownSensors } from "./birth.ts";
import { isRetired, sensorKey } from "./sensor-record.ts";
import type { SensorRecord } from "./sensor-record.ts";

/** Whose readings of a sensor are taken. */
export interface SensorOwner {
  readonly gateway: string;
  readonly retired: boolean;
}

interface Entry extends SensorOwner {
  readonly record: SensorRecord;
}

/** All sensors in memory: by agency and id for the hot path, and by gateway. */
export class SensorIndex implements KnownSensors {
  readonly #byAgency = new Map<string, Map<string, Entry>>();
  readonly #byGateway = new Map<string, { readonly keys: Map<string, SensorRecord>; retired: number }>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(agency: string, sensor: string): SensorRecord | undefined {
    return this.#byAgency.get(agency)?.get(sensor)?.record;
  }

  owner(agency: string, sensor: string): SensorOwner | undefined {
    return this.#byAgency.get(agency)?.get(sensor);
  }

  /** Sensors with this id, in whichever agencies. */
  named(sensor: string): SensorRecord[] {
    return [...this.#byAgency.values()].flatMap((sensors) => sensors.get(sensor)?.record ?? []);
  }

  *all(): Generator<SensorRecord> {
    for (const sensors of this.#byAgency.values()) for (const { record } of sensors.values()) yield record;
  }

  of(gateway: string): SensorRecord[] {
    return [...(this.#byGateway.get(gateway)?.keys.values() ?? [])];
  }

  activeSensors(gateway: string): number {
    const own = this.#byGateway.get(gateway);
    return own ? own.keys.size - own.retired : 0;
  }

  put(record: SensorRecord): void {
    const { agency, sensor, gateway } = record;
    let sensors = this.#byAgency.get(agency);
    if (!sensors) this.#byAgency.set(agency, (sensors = new Map()));
    const before = sensors.get(sensor)?.record;
    if (before) this.#takeFromGateway(before);
    else this.#size += 1;
    sensors.set(sensor, { gateway, retired: isRetired(record), record });
    this.#giveToGateway(record);
  }

  #giveToGateway(record: SensorRecord): void {
    let own = this.#byGateway.get(record.gateway);
    if (!own) this.#byGateway.set(record.gateway, (own = { keys: new Map(), retired: 0 }));
    own.keys.set(sensorKey(record.agency, record.sensor), record);
    if (isRetired(record)) own.retired += 1;
  }

  #takeFromGateway(record: SensorRecord): void {
    const own = this.#byGateway.get(record.gateway);
    if (!own?.keys.delete(sensorKey(record.agency, record.sensor))) return;
    if (isRetired(record)) own.retired -= 1;
  }
}
