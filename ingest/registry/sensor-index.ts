import { TextColumn, TextIndex } from "#telemetry/text-table.ts";
import { sensorKey, type SensorRef } from "./sensor-record.ts";

/** Whose readings of a sensor are taken. */
export interface SensorOwner {
  readonly gateway: string;
  readonly retired: boolean;
}

/**
 * All sensors in memory, with what the hot path must know of them: some 20 bytes and its key for each, no object, no string. What else
 * is known of a sensor stays on disk.
 */
export class SensorIndex {
  /** `agency/id`, in order of their coming. */
  readonly #keys = new TextColumn();
  readonly #sensors = new TextIndex(this.#keys);
  /** By sensor: the number of the gateway that owns it, and 1 for a retired one. */
  #owner = new Uint32Array(firstCapacity);
  #retired = new Uint8Array(firstCapacity);
  readonly #gateways: { readonly name: string; sensors: number; retired: number }[] = [];
  readonly #gatewayNumbers = new Map<string, number>();
  readonly #agencies = new Set<string>();

  get size(): number {
    return this.#keys.size;
  }

  /** @returns undefined for an unknown sensor */
  owner(agency: string, sensor: string): SensorOwner | undefined {
    const number = this.#sensors.find(sensorKey(agency, sensor));
    if (number === -1) return undefined;
    return { gateway: this.#gateways[this.#owner[number]!]!.name, retired: this.#retired[number] === 1 };
  }

  has(agency: string, sensor: string): boolean {
    return this.#sensors.find(sensorKey(agency, sensor)) !== -1;
  }

  /** The agencies that have sensors. */
  agencies(): readonly string[] {
    return [...this.#agencies];
  }

  /** The sensors that a gateway owns, retired ones too, in order of their coming. */
  of(gateway: string): SensorRef[] {
    const owner = this.#gatewayNumbers.get(gateway);
    const refs: SensorRef[] = [];
    if (owner === undefined) return refs;
    for (let number = 0; number < this.size; number += 1)
      if (this.#owner[number] === owner) refs.push(this.#ref(number));
    return refs;
  }

  /** How many those are. */
  countOf(gateway: string): number {
    return this.#gatewayNamed(gateway)?.sensors ?? 0;
  }

  /** How many of them are not retired. */
  activeSensors(gateway: string): number {
    const own = this.#gatewayNamed(gateway);
    return own ? own.sensors - own.retired : 0;
  }

  /** A sensor came, or changed hands, or went. @returns whether it came. */
  put({ agency, sensor }: SensorRef, { gateway, retired }: SensorOwner): boolean {
    const before = this.size;
    const number = this.#sensors.add(sensorKey(agency, sensor));
    if (number < before) this.#count(number, -1);
    else this.#agencies.add(agency);
    if (number >= this.#owner.length) {
      this.#owner = grown(this.#owner, new Uint32Array(2 * number));
      this.#retired = grown(this.#retired, new Uint8Array(2 * number));
    }
    this.#owner[number] = this.#gateway(gateway);
    this.#retired[number] = retired ? 1 : 0;
    this.#count(number, 1);
    return number === before;
  }

  /** Bytes held for the sensors. */
  get byteLength(): number {
    const columns = [this.#keys, this.#sensors, this.#owner, this.#retired];
    return columns.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  #count(number: number, change: 1 | -1): void {
    const own = this.#gateways[this.#owner[number]!]!;
    own.sensors += change;
    if (this.#retired[number] === 1) own.retired += change;
  }

  #ref(number: number): SensorRef {
    const key = this.#keys.get(number);
    const slash = key.indexOf("/");
    return { agency: key.slice(0, slash), sensor: key.slice(slash + 1) };
  }

  #gatewayNamed(name: string): { readonly sensors: number; readonly retired: number } | undefined {
    const number = this.#gatewayNumbers.get(name);
    return number === undefined ? undefined : this.#gateways[number];
  }

  #gateway(name: string): number {
    let number = this.#gatewayNumbers.get(name);
    if (number === undefined) {
      number = this.#gateways.push({ name, sensors: 0, retired: 0 }) - 1;
      this.#gatewayNumbers.set(name, number);
    }
    return number;
  }
}

const firstCapacity = 256;

function grown<Column extends { set(from: Column): void }>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
