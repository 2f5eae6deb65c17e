import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Field } from "#telemetry/catalogue.ts";
import { places } from "#telemetry/places.ts";
import { cityOf } from "#firmware-sim/city.ts";
import type { CitySensor, Device, DeviceKind } from "#firmware-sim/devices/device.ts";
import { deviceOf } from "#firmware-sim/devices/models.ts";
import { momentAt, type Moment } from "#firmware-sim/moment.ts";
import { makeWorld } from "#firmware-sim/world.ts";
import { makeZone } from "#firmware-sim/zone.ts";

const minute_ms = 60_000;
const zone = makeZone(places.city.zone);

/** A moment of the city with this seed; `local` as `2026-07-05T08:00` on the city's clocks. */
export function moment(local: string, seed = 1): Moment {
  return momentAt(seed, zone, zone.instantsOf(Date.parse(`${local}Z`))[0]!);
}

/** The devices of a city, of one kind if given; each in a world of its own, so that they may live one after another. */
export function devices({
  seed = 1,
  sensors = 300,
  kind,
}: {
  seed?: number;
  sensors?: number;
  kind?: DeviceKind;
}): Device[] {
  const city = cityOf({ seed, sensors, places });
  return city.gateways
    .flatMap((gateway) => gateway.sensors)
    .filter((sensor) => kind === undefined || sensor.kind === kind)
    .map((sensor) => deviceOf(sensor, { world: makeWorld(city), firstStep_s: 60 }));
}

/** A sensor's device once more, as at the start, in a world of its own. */
export function sameDevice(
  sensor: CitySensor,
  { seed = 1, sensors = 300 }: { seed?: number; sensors?: number },
): Device {
  return deviceOf(sensor, { world: makeWorld(cityOf({ seed, sensors, places })), firstStep_s: 60 });
}

/** What a device says at each step from local time `from`, by field name. */
export function* life(
  device: Device,
  { from, hours, step_min = 1, seed = 1 }: { from: string; hours: number; step_min?: number; seed?: number },
): Generator<{ moment: Moment; said: Record<string, number> }> {
  const start = moment(from, seed).time;
  const out = new Float64Array(64);
  for (let time = start; time < start + hours * 60 * minute_ms; time += step_min * minute_ms) {
    const now = momentAt(seed, zone, time);
    device.speak(now, out);
    yield { moment: now, said: Object.fromEntries(device.fields.map(({ name }, i) => [name, out[i]!])) };
  }
}

/** The catalogue's word on a device's field. */
export function fieldOf(device: Device, name: string): Field {
  const measurement = builtinCatalogue.measurements[builtinCatalogue.indexOf(device.measurement)!]!;
  return measurement.fields.find((field) => field.name === name)!;
}

/** Mean of a field over all devices between two local hours of the day, gaps left out. */
export function meanOver(
  all: readonly Device[],
  field: string,
  day: string,
  [fromHour, toHour]: readonly [number, number],
  seed = 1,
): number {
  let sum = 0;
  let count = 0;
  const from = `${day}T${String(fromHour).padStart(2, "0")}:00`;
  for (const device of all) {
    for (const { said } of life(device, { from, hours: toHour - fromHour, step_min: 5, seed })) {
      if (Number.isNaN(said[field])) continue;
      sum += said[field]!;
      count += 1;
    }
  }
  return sum / count;
}
