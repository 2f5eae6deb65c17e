import { commodityNames, type Commodity } from "#telemetry/commodities.ts";
import type { Place } from "#telemetry/places.ts";
import type { SensorAttributes } from "#telemetry/sensor.ts";
import type { DeviceKind } from "./devices/device.ts";
import { corridorAt, corridorFrom } from "./network/corridor-plan.ts";
import { metersPerFeeder, substation } from "./network/energy-plan.ts";
import { meanLoss, unmeteredShare, type WaterPlan } from "./network/water-plan.ts";
import { between, type Random } from "./random.ts";

/** What a sensor is told about itself: the `index`-th of `count` of its kind, at `place`. */
interface Spot {
  readonly index: number;
  readonly count: number;
  readonly place: Place;
  readonly districts: readonly Place[];
  readonly plan: WaterPlan;
  readonly random: Random;
}

interface Description {
  readonly attributes: Partial<SensorAttributes>;
  readonly size: number;
  readonly leadsTo?: string;
}

export const describers: Record<DeviceKind, (spot: Spot) => Description> = {
  "traffic-detector": ({ index, districts, place, random }) => {
    const junction = Math.floor(index / districts.length / lanes);
    return {
      attributes: {
        role: "detector",
        site: numbered(place, "junction", junction),
        lane: String((Math.floor(index / districts.length) % lanes) + 1),
        corridor: corridorFrom(place, Math.floor(junction / 2), districts).name,
      },
      size: between(random, 0.4, 1.12),
    };
  },

  "travel-timer": ({ index, districts, random }) => {
    const { name, from, to, emergency, venue } = corridorAt(index, districts);
    const length = emergency ? between(random, 40, 80) : between(random, 30, 220);
    return {
      attributes: {
        place: from.code,
        role: venue ? "venue" : "corridor",
        corridor: name,
        corridor_length_m: Math.round(length) * 100,
        ...(venue && { site: stadium(from) }),
        ...(emergency && { site: `${to.name.en} hospital approach`.slice(0, 64) }),
      },
      size: between(random, 0.5, 1.2),
    };
  },

  "water-meter": ({ index, place, plan, random }) => {
    const { sources, areas, customers, passedOn } = plan;
    if (index < areas.length) {
      const area = areas[index]!;
      return {
        attributes: {
          place: area.place.code,
          role: "dma_in",
          dma: area.name,
          site: `${area.place.name.en} inlet`,
        },
        size: area.demand,
      };
    }
    if (index < areas.length + sources) {
      return {
        attributes: { role: "source", site: numbered(place, "desalination", index - areas.length) },
        size: plan.demand / (1 - meanLoss) / sources,
      };
    }
    const customer = index - areas.length - sources;
    if (customer >= customers) {
      const { from, to } = passedOn[customer - customers]!;
      return {
        attributes: {
          place: from.place.code,
          role: "dma_out",
          dma: from.name,
          site: `to ${to.name}`.slice(0, 64),
        },
        size: to.demand,
        leadsTo: to.name,
      };
    }
    const area = areas[customer % areas.length]!;
    const neighbours = Math.ceil((customers - (customer % areas.length)) / areas.length);
    return {
      attributes: { place: area.place.code, role: "customer", dma: area.name },
      size: ((area.demand * (1 - unmeteredShare)) / neighbours) * between(random, 0.95, 1.05),
    };
  },

  "water-tank": ({ index, count, place, plan, random }) => {
    const outflow = Math.max(60, plan.demand / (1 - meanLoss)) / count;
    const tower = index % 3 === 2;
    const days = tower ? between(random, 0.5, 1) : between(random, 7, 10);
    return {
      attributes: {
        role: "storage",
        site: numbered(place, tower ? "tower" : "reservoir", index),
        capacity_m3: Math.round(outflow * 86.4 * days),
      },
      size: outflow,
    };
  },

  "water-quality": ({ place }) => ({
    attributes: {
      role: "quality",
      site: `${place.name.en} main`,
      limits: {
        "water_quality.ph": [6.5, 8.5],
        "water_quality.turbidity": [null, 4],
        "water_quality.chlorine_free": [0.2, 1],
      },
    },
    size: 1,
  }),

  "energy-meter": ({ index, districts, random }) => {
    const group = Math.floor(index / metersPerFeeder);
    const { place, site } = substation(group, districts);
    return index % metersPerFeeder === metersPerFeeder - 1
      ? { attributes: { place, role: "feeder", nominal_v: 11_000, site }, size: 1 }
      : {
          attributes: { place, role: "customer", nominal_v: 240, site },
          size: Math.round(10 ** between(random, 0.6, 2.4) * 10) / 10,
        };
  },

  "solar-plant": ({ index, districts, random }) => ({
    attributes: { role: "generator", ...substation(Math.floor(index / 2), districts) },
    size: Math.round(10 ** between(random, 1.3, 2.6)),
  }),

  "cold-store": ({ index, place, random }) => {
    const commodity = chilled[index % chilled.length]!;
    const setpoint = frozen.has(commodity) ? between(random, -22, -19) : between(random, 2.5, 4);
    const highest = frozen.has(commodity) ? -15 : 8;
    const lowest = frozen.has(commodity) ? -30 : 0;
    return {
      attributes: {
        role: "storage",
        commodity,
        site: numbered(place, "cold store", index),
        limits: { "cold_storage.temp": [lowest, highest] },
      },
      size: Math.round(setpoint * 10) / 10,
    };
  },

  "food-stock": ({ index, place, random }) => ({
    attributes: {
      role: "storage",
      commodity: commodityNames[index % commodityNames.length]!,
      site: numbered(place, "warehouse", index),
    },
    size: Math.round(10 ** between(random, 2.3, 3.5)),
  }),

  "weather-station": ({ place }) => ({
    attributes: { role: "station", site: `${place.name.en} weather` },
    size: 1,
  }),

  "air-monitor": ({ place, index, districts }) => ({
    attributes: {
      role: "station",
      site: `${place.name.en} air`,
      corridor: corridorFrom(place, Math.floor(index / districts.length), districts).name,
    },
    size: 1,
  }),
};

/** Lanes of a junction, each with its detector. */
const lanes = 3;

const chilled: readonly Commodity[] = [
  "vegetables",
  "dairy",
  "fish",
  "fresh_chicken",
  "sheep_goat_meat",
  "table_eggs",
];
const frozen: ReadonlySet<Commodity> = new Set<Commodity>(["fish", "sheep_goat_meat"]);

function numbered(place: Place, what: string, index: number): string {
  return `${place.name.en} ${what} ${index + 1}`.slice(0, 64);
}

/** Where events are. */
export function stadium(place: Place): string {
  return `${place.name.en} stadium`.slice(0, 64);
}
