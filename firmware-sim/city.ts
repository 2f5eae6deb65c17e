import type { Place, Places } from "#telemetry/places.ts";
import type { CitySensor, DeviceKind } from "./devices/device.ts";
import { describers } from "./city-sensors.ts";
import { venueDistrict } from "./network/corridor-plan.ts";
import { waterPlan } from "./network/water-plan.ts";
import { randomFor } from "./random.ts";

export type { CitySensor } from "./devices/device.ts";

export interface CityGateway {
  /** `gw-mobility-1` */
  readonly name: string;
  readonly agency: string;
  readonly sensors: readonly CitySensor[];
}

/** Who measures what, where. Equal arguments make equal cities. */
export interface City {
  readonly seed: number;
  /** IANA time zone of its clocks. */
  readonly zone: string;
  readonly gateways: readonly CityGateway[];
  /** Where events are held, a district's code; undefined in a city of one place. */
  readonly venue: string | undefined;
}

/** How many of 300 sensors are of each kind, whose they are, and how their ids begin. */
const mix: readonly { kind: DeviceKind; agency: string; prefix: string; of300: number }[] = [
  { kind: "traffic-detector", agency: "mobility", prefix: "tf", of300: 84 },
  { kind: "travel-timer", agency: "mobility", prefix: "tt", of300: 24 },
  { kind: "water-meter", agency: "water", prefix: "wf", of300: 48 },
  { kind: "water-tank", agency: "water", prefix: "wt", of300: 9 },
  { kind: "water-quality", agency: "water", prefix: "wq", of300: 9 },
  { kind: "energy-meter", agency: "energy", prefix: "em", of300: 54 },
  { kind: "solar-plant", agency: "energy", prefix: "pv", of300: 15 },
  { kind: "cold-store", agency: "food", prefix: "cs", of300: 24 },
  { kind: "food-stock", agency: "food", prefix: "fs", of300: 12 },
  { kind: "weather-station", agency: "environment", prefix: "ws", of300: 9 },
  { kind: "air-monitor", agency: "environment", prefix: "aq", of300: 12 },
];

/**
 * A city of `sensors` virtual sensors, spread over all districts. Ids are unique in the city and, for one kind, do not depend on how
 * many there are. One gateway an agency, more where one would have over `sensorsPerGateway`.
 */
export function cityOf({
  seed,
  sensors,
  places,
  period_s = 60,
  sensorsPerGateway = 500,
}: {
  seed: number;
  sensors: number;
  places: Places;
  /** How often sensors are said to speak; history is sent at this rhythm, and live readings come at least as often. */
  period_s?: number;
  /** A birth with 500 sensors stays below the largest MQTT packet that the platform takes. */
  sensorsPerGateway?: number;
}): City {
  const districts = districtsOf(places);
  const counts = apportion(
    sensors,
    mix.map(({ of300 }) => of300),
  );
  const plan = waterPlan(seed, counts[mix.findIndex(({ kind }) => kind === "water-meter")]!, districts);
  const byAgency = new Map<string, CitySensor[]>();
  for (const [row, { kind, agency, prefix }] of mix.entries()) {
    const siblings = byAgency.get(agency) ?? [];
    byAgency.set(agency, siblings);
    const count = counts[row]!;
    for (let index = 0; index < count; index += 1) {
      const id = `${prefix}-${String(index + 1).padStart(3, "0")}`;
      const place = districts[index % districts.length]!;
      const random = randomFor(seed, `${id}/place`);
      const { attributes, ...own } = describers[kind]({ index, count, place, districts, plan, random });
      siblings.push({ id, kind, attributes: { place: place.code, ...attributes, period_s }, ...own });
    }
  }
  const gateways = [...byAgency].flatMap(([agency, own]) => gatewaysOf(agency, own, sensorsPerGateway));
  return { seed, zone: places.city.zone, gateways, venue: venueDistrict(districts)?.code };
}

/** Districts taken from each municipality in turn, so that few sensors reach all of them. */
function districtsOf(places: Places): Place[] {
  const groups = places.all
    .filter(({ district }) => district === undefined)
    .map((municipality) => {
      const own = places.all.filter((place) => place.municipality === municipality.code && place.district);
      return own.length > 0 ? own : [municipality];
    });
  const most = Math.max(...groups.map((group) => group.length));
  return Array.from({ length: most }, (_, round) => groups.flatMap((group) => group[round] ?? [])).flat();
}

/** Splits a whole into shares by the largest remainder (Hamilton): they add up, and the first of equals comes first. */
function apportion(whole: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => (whole * weight) / total);
  const shares = exact.map(Math.floor);
  const left = whole - shares.reduce((sum, share) => sum + share, 0);
  const byRemainder = exact.map((value, row) => ({ row, rest: value % 1 })).sort((a, b) => b.rest - a.rest);
  for (const { row } of byRemainder.slice(0, left)) shares[row]! += 1;
  return shares;
}

function gatewaysOf(agency: string, sensors: readonly CitySensor[], most: number): CityGateway[] {
  const count = Math.ceil(sensors.length / most);
  return Array.from({ length: count }, (_, n) => ({
    name: `gw-${agency}-${n + 1}`,
    agency,
    // Dealt out in turn: each gateway has every kind.
    sensors: sensors.filter((_sensor, index) => index % count === n),
  }));
}
