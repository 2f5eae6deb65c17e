import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Field } from "#telemetry/catalogue.ts";
import { places } from "#telemetry/places.ts";
import { cityOf, type City } from "#firmware-sim/city.ts";
import type { CitySensor, Device, DeviceKind, SavedDevice } from "#firmware-sim/devices/device.ts";
import { deviceOf } from "#firmware-sim/devices/models.ts";
import { momentAt, type Moment } from "#firmware-sim/moment.ts";
import { makeWorld, type World, type WorldOptions } from "#firmware-sim/world.ts";
import { makeZone } from "#telemetry/zone.ts";

const minute_ms = 60_000;
export const zone = makeZone(places.city.zone);

/** A moment of the city with this seed; `local` as `2026-07-05T08:00` on the city's clocks. */
export function moment(local: string, seed = 1): Moment {
  return momentAt(seed, zone, instant(local));
}

/** ms since 1970 of a time on the city's clocks. */
export function instant(local: string): number {
  return zone.instantsOf(Date.parse(`${local}Z`))[0]!;
}

/** What one sensor said: its readings' times and, by field, values as they stand in its lines. */
export interface Said {
  readonly sensor: CitySensor;
  readonly device: Device;
  readonly times: number[];
  readonly values: Readonly<Record<string, number[]>>;
}

interface CityWishes extends WorldOptions {
  readonly seed?: number;
  readonly sensors?: number;
  readonly kinds?: readonly DeviceKind[];
  readonly sensorsPerGateway?: number;
}

export interface Stretch {
  /** On the city's clocks. */
  readonly from: string;
  readonly hours: number;
  readonly step_min?: number;
  /** Each device at a moment of its own, evenly spread over the step, as they speak live. */
  readonly live?: boolean;
}

/** A city's devices in one world. */
export class RunningCity {
  readonly city: City;
  readonly world: World;
  readonly devices: readonly Device[];

  constructor({ seed = 1, sensors = 300, kinds, sensorsPerGateway = 500, faults }: CityWishes = {}) {
    this.city = cityOf({ seed, sensors, places, sensorsPerGateway });
    this.world = makeWorld(this.city, { faults });
    this.devices = this.city.gateways
      .flatMap((gateway) => gateway.sensors)
      .filter(({ kind }) => kinds === undefined || kinds.includes(kind))
      .map((sensor) => deviceOf(sensor, { world: this.world }));
  }

  /** What all say from a local time on, before `hours` later. */
  say({ from, hours, step_min = 1, live = false }: Stretch): Map<string, Said> {
    const out = new Float64Array(64);
    const all = this.devices.map((device): Said => {
      const values = Object.fromEntries(device.fields.map(({ name }) => [name, [] as number[]]));
      return { sensor: device.sensor, device, times: [], values };
    });
    const start = instant(from);
    const end = start + Math.round(hours * 60 * minute_ms);
    for (let step = start; step < end; step += Math.round(step_min * minute_ms)) {
      let now = momentAt(this.city.seed, zone, step);
      for (const [index, said] of all.entries()) {
        if (live) {
          const time = step + Math.floor((index * step_min * minute_ms) / all.length);
          now = momentAt(this.city.seed, zone, time);
        }
        const time = said.device.speak(now, out);
        if (Number.isNaN(time)) continue;
        said.times.push(time);
        for (const [i, { name, decimals }] of said.device.fields.entries())
          said.values[name]!.push(asWritten(out[i]!, decimals));
      }
    }
    return new Map(all.map((said) => [said.sensor.id, said]));
  }

  save(): Map<string, SavedDevice> {
    return new Map(this.devices.map((device) => [device.sensor.id, device.save()]));
  }

  /** Through JSON, as the state file holds it. */
  restore(saved: ReadonlyMap<string, SavedDevice>): void {
    for (const device of this.devices) {
      const own = saved.get(device.sensor.id);
      if (own !== undefined) device.restore(JSON.parse(JSON.stringify(own)) as SavedDevice);
    }
  }
}

/** A value as the line buffer writes it. */
function asWritten(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}

/** The catalogue's word on a device's field. */
export function fieldOf(device: Device, name: string): Field {
  const measurement = builtinCatalogue.measurements[builtinCatalogue.indexOf(device.measurement)!]!;
  return measurement.fields.find((field) => field.name === name)!;
}

export function mean(values: readonly number[]): number {
  const finite = values.filter((value) => Number.isFinite(value));
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

/** Mean of a field over all of a kind between two local hours of a day, gaps left out. */
export function kindMean(
  kind: DeviceKind,
  field: string,
  day: string,
  [fromHour, toHour]: readonly [number, number],
): number {
  const from = `${day}T${String(fromHour).padStart(2, "0")}:00`;
  const all = new RunningCity({ kinds: [kind] }).say({ from, hours: toHour - fromHour, step_min: 5 });
  return mean([...all.values()].flatMap(({ values }) => values[field]!));
}
