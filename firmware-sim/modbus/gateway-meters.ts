import type { Address } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import type { CityGateway } from "../city.ts";
import type { Device } from "../devices/device.ts";
import { LoggerUnit } from "./logger-unit.ts";
import { registerMapOf } from "./device-maps.ts";
import { RowMemory, type SavedMemory } from "./row-memory.ts";
import { openModbusServer, type ModbusServer } from "./server.ts";
import { planUnits, portsOf, type PlannedUnit } from "./unit-plan.ts";

export interface MeterCounts {
  /** Rows whose arrival at an agent was proved. */
  readonly fetched: number;
  /** Rows that wait for an agent. */
  readonly unread: number;
  /** Rows that no agent fetched before their memory was full: lost, as in a real meter. */
  readonly overwritten: number;
}

/** Where the gateway's meters and tanks are found; the same sensors make the same plan. */
export function planOf(gateway: CityGateway): PlannedUnit[] {
  return planUnits(
    gateway.sensors.flatMap(({ id, kind }) => {
      const named = registerMapOf(kind);
      return named === undefined ? [] : [{ sensor: id, named }];
    }),
  );
}

/** The devices behind one gateway that speak Modbus while they live, each with the memory of its logger. */
export class GatewayMeters implements AsyncDisposable {
  readonly #gateway: string;
  readonly #plan: readonly PlannedUnit[];
  readonly #units = new Map<string, LoggerUnit>();
  #servers: readonly ModbusServer[] = [];

  /** @param rows What each device's memory holds. */
  constructor(gateway: CityGateway, devices: readonly Device[], rows: number) {
    this.#gateway = gateway.name;
    this.#plan = planOf(gateway);
    const byId = new Map(devices.map((device) => [device.sensor.id, device]));
    for (const { sensor, named } of this.#plan) {
      const fields = byId.get(sensor)!.fields.map(({ name }) => name);
      this.#units.set(sensor, new LoggerUnit(named.map, fields, new RowMemory(rows)));
    }
  }

  /** Where its ports listen. */
  get addresses(): readonly Address[] {
    return this.#servers.map(({ address }) => address);
  }

  get counts(): MeterCounts {
    const counts = { fetched: 0, unread: 0, overwritten: 0 };
    for (const { memory } of this.#units.values()) {
      counts.fetched += memory.fetched;
      counts.unread += memory.unread;
      counts.overwritten += memory.overwritten;
    }
    return counts;
  }

  /**
   * Opens the ports that the plan takes. Who connects is served once the devices behind the port have had their first turn.
   * @throws MarsadError CONFIG_INVALID: fewer addresses than ports; ADDRESS_IN_USE
   */
  async listen(addresses: readonly Address[], log: Log): Promise<void> {
    const ports = portsOf(this.#plan);
    if (addresses.length < ports) {
      const message = `modbus: the ${this.#plan.length} meters of gateway ${this.#gateway} take ${ports} ports; it has ${addresses.length}`;
      throw new MarsadError("CONFIG_INVALID", message);
    }
    for (const [port, address] of addresses.slice(0, ports).entries()) {
      const own = this.#plan.filter((planned) => planned.port === port);
      const units = new Map(own.map(({ unit, sensor }) => [unit, this.#units.get(sensor)!]));
      const memories = [...units.values()].map(({ memory }) => memory);
      const isReady = (): boolean =>
        memories.every(({ taken }) => taken > 0) || memories.some(({ taken }) => taken > 1);
      this.#servers = [...this.#servers, await openModbusServer(address, units, { log, isReady })];
    }
  }

  /** Takes a copy of what a device says as a row; false: it sends lines, or registers cannot hold these values. */
  record(device: Device, time: number, values: Float64Array): boolean {
    const unit = this.#units.get(device.sensor.id);
    if (unit === undefined) return false;
    const rounded = Float64Array.from(device.fields, ({ decimals }, i) => {
      const scale = 10 ** decimals;
      return Math.round(values[i]! * scale) / scale;
    });
    return unit.record(time, rounded);
  }

  /** The memories by sensor id. */
  save(): [string, SavedMemory][] {
    return Array.from(this.#units, ([sensor, unit]) => [sensor, unit.save()]);
  }

  restore(saved: Readonly<Record<string, SavedMemory>>): void {
    for (const [sensor, unit] of this.#units) {
      const own = saved[sensor];
      if (own !== undefined) unit.restore(own);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
  }
}
