import { commodityNames, type Commodity } from "#telemetry/commodities.ts";
import type { Place } from "#telemetry/places.ts";
import type { SensorAttributes } from "#telemetry/sensor.ts";
import type { DeviceKind } from "./devices/device.ts";
import { between, randomFor, type Random } from "./random.ts";
import { slug } from "./slug.ts";

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
}

/** A district meter area: one inlet, and customers that share its demand. */
interface MeterArea {
  readonly name: string;
  readonly place: Place;
  /** L/s */
  readonly demand: number;
}

/** How water meters hang together, so that what flows in, is billed and is lost add up. */
export interface WaterPlan {
  readonly sources: number;
  readonly areas: readonly MeterArea[];
  readonly customers: number;
  /** Mean demand of all areas, L/s. */
  readonly demand: number;
}

/** Share of the demand that no customer's meter sees (fire mains, parks). */
const unmetered = 0.03;
const meanLeak = 0.15;

export function waterPlan(seed: number, meters: number, districts: readonly Place[]): WaterPlan {
  const sources = Math.round(meters / 24);
  const areaCount = Math.min(meters - sources, Math.max(1, Math.round(meters / 5)));
  const areas = Array.from({ length: areaCount }, (_, index) => {
    const place = districts[index % districts.length]!;
    const name = `dma-${slug(place.name.en)}-${Math.floor(index / districts.length) + 1}`;
    return { name, place, demand: between(randomFor(seed, name), 60, 180) };
  });
  return {
    sources,
    areas,
    customers: meters - sources - areaCount,
    demand: areas.reduce((sum, area) => sum + area.demand, 0),
  };
}

export const describers: Record<DeviceKind, (spot: Spot) => Description> = {
  "traffic-detector": ({ index, districts, place, random }) => ({
    attributes: {
      role: "detector",
      site: numbered(place, "junction", Math.floor(index / districts.length / 3)),
      lane: String((Math.floor(index / districts.length) % 3) + 1),
    },
    size: between(random, 0.4, 1.12),
  }),

  "travel-timer": ({ index, districts, random }) => {
    const { from, to, round } = corridorAt(index, districts);
    return {
      attributes: {
        place: from.code,
        role: "corridor",
        corridor: `${slug(from.name.en)}-${slug(to.name.en)}${round === 0 ? "" : `-${round + 1}`}`.slice(
          0,
          64,
        ),
        corridor_length_m: Math.round(between(random, 30, 220)) * 100,
      },
      size: between(random, 0.5, 1.2),
    };
  },

  "water-meter": ({ index, place, plan, random }) => {
    const { sources, areas } = plan;
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
        size: (plan.demand * (1 + meanLeak)) / sources,
      };
    }
    const customer = index - areas.length - sources;
    const area = areas[customer % areas.length]!;
    const neighbours = Math.ceil((plan.customers - (customer % areas.length)) / areas.length);
    return {
      attributes: { place: area.place.code, role: "customer", dma: area.name },
      size: ((area.demand * (1 - unmetered)) / neighbours) * between(random, 0.95, 1.05),
    };
  },

  "water-tank": ({ index, count, place, plan, random }) => {
    const outflow = Math.max(60, plan.demand * (1 + meanLeak)) / count;
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

  "energy-meter": ({ index, place, random }) =>
    index % 7 === 6
      ? {
          attributes: {
            role: "feeder",
            nominal_v: 11_000,
            site: numbered(place, "substation", Math.floor(index / 7)),
          },
          size: Math.round(between(random, 800, 2500)),
        }
      : {
          attributes: { role: "customer", nominal_v: 240 },
          size: Math.round(10 ** between(random, 0.6, 2.4) * 10) / 10,
        },

  "solar-plant": ({ index, place, random }) => ({
    attributes: { role: "generator", site: numbered(place, "solar", index) },
    size: Math.round(10 ** between(random, 1.6, 3)),
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

  "air-monitor": ({ place }) => ({ attributes: { role: "station", site: `${place.name.en} air` }, size: 1 }),
};

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

/**
 * Corridors lead from every outer district into the first municipality, whose own districts are joined last; partners are taken from the
 * end, so that ports and plants, which places list last, meet one another.
 */
function corridorAt(index: number, districts: readonly Place[]): { from: Place; to: Place; round: number } {
  const capital = districts[0]!.municipality;
  const inner = districts.filter(({ municipality }) => municipality === capital);
  const outer = districts.filter(({ municipality }) => municipality !== capital);
  const starts = [...outer, ...inner];
  const round = Math.floor(index / starts.length);
  const from = starts[index % starts.length]!;
  const partners = inner.filter((place) => place !== from).toReversed();
  return { from, to: partners[((index % starts.length) + round) % partners.length] ?? from, round };
}
