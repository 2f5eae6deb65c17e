import { formatAddress, type Address } from "#runtime/address.ts";
import type { NamedRegisterMap, RegisterMap } from "./register-map.ts";

/** Unit ids that one port, as one Modbus gateway, can have. */
export const maxUnitsPerPort = 247;

/** A sensor that is to be found at a unit id of one of its gateway's ports. */
export interface PlannedUnit {
  readonly sensor: string;
  readonly named: NamedRegisterMap;
  /** Which of the gateway's ports, from 0. */
  readonly port: number;
  /** 1..247 */
  readonly unit: number;
}

/** Gives unit ids in the order given, and goes on at a further port when one is full. */
export function planUnits(
  devices: readonly { readonly sensor: string; readonly named: NamedRegisterMap }[],
): PlannedUnit[] {
  return devices.map((device, index) => ({
    ...device,
    port: Math.floor(index / maxUnitsPerPort),
    unit: (index % maxUnitsPerPort) + 1,
  }));
}

/** Ports that a plan takes. */
export function portsOf(plan: readonly PlannedUnit[]): number {
  return plan.reduce((most, { port }) => Math.max(most, port + 1), 0);
}

/** Ports for gateways that need some, one after the other from `base` on; of port 0 each is any free one. */
export function portsFrom(
  base: Address,
  gateways: readonly { readonly name: string; readonly ports: number }[],
): Map<string, Address[]> {
  let next = base.port;
  const take = (): Address => ({ host: base.host, port: base.port === 0 ? 0 : next++ });
  return new Map(
    gateways
      .filter(({ ports }) => ports > 0)
      .map(({ name, ports }) => [name, Array.from({ length: ports }, take)]),
  );
}

/** What an agent's configuration says of Modbus devices: its keys `inputs` and `register_maps`. */
export interface AgentModbus {
  readonly inputs: readonly {
    readonly type: "modbus";
    readonly connect: string;
    readonly poll_ms: number;
    readonly timeout_ms: number;
    readonly devices: readonly { unit: number; sensor: string; map: string }[];
  }[];
  readonly register_maps: Readonly<Record<string, RegisterMap>>;
}

export interface AgentTiming {
  readonly poll_ms: number;
  readonly timeout_ms: number;
}

/** For the meters of a city: twice as often as they speak. */
export const meterTiming: AgentTiming = { poll_ms: 5000, timeout_ms: 1000 };

/** Where an agent reads devices one after the other. */
export interface Bus {
  readonly address: Address;
  readonly units: readonly PlannedUnit[];
}

/** @param addresses Where the plan's ports listen, in their order. */
export function busesOf(plan: readonly PlannedUnit[], addresses: readonly Address[]): Bus[] {
  return addresses.map((address, port) => ({
    address,
    units: plan.filter((planned) => planned.port === port),
  }));
}

export function agentModbus(buses: readonly Bus[], { poll_ms, timeout_ms }: AgentTiming): AgentModbus {
  return {
    inputs: buses.map(({ address, units }) => ({
      type: "modbus",
      connect: `tcp://${formatAddress(address)}`,
      poll_ms,
      timeout_ms,
      devices: units.map(({ unit, sensor, named }) => ({ unit, sensor, map: named.name })),
    })),
    register_maps: Object.fromEntries(
      buses.flatMap(({ units }) => units.map(({ named }) => [named.name, named.map])),
    ),
  };
}
