import type { Place } from "#telemetry/places.ts";
import { between, randomFor } from "../random.ts";
import { slug } from "../slug.ts";

/** A district meter area: one inlet, and customers that share its demand. */
export interface MeterArea {
  readonly name: string;
  readonly place: Place;
  /** Mean demand of its own, without what it passes on, L/s. */
  readonly demand: number;
  /** The area through which it gets its water; undefined: from the mains. */
  readonly fedThrough: string | undefined;
}

/** How water meters hang together, so that what flows in, is billed and is lost add up. */
export interface WaterPlan {
  readonly sources: number;
  readonly areas: readonly MeterArea[];
  readonly customers: number;
  /** Areas that pass water on, each with a meter of role `dma_out`. */
  readonly passedOn: readonly { readonly from: MeterArea; readonly to: MeterArea }[];
  /** Mean demand of all areas, L/s. */
  readonly demand: number;
}

/** Share of an area's demand that is authorised and has no meter (fire mains, parks): for each metered litre, 0.03 / 0.97. */
export const unmeteredShare = 0.03;
/** Share of what is put into the network that is lost, in the long run. */
export const meanLoss = 0.165;

/** Every fourth area is fed through the one before it. */
const chainOf = 4;

export function waterPlan(seed: number, meters: number, districts: readonly Place[]): WaterPlan {
  const sources = Math.round(meters / 24);
  const areaCount = Math.min(meters - sources, Math.max(1, Math.round(meters / 5)));
  const areas: MeterArea[] = [];
  for (let index = 0; index < areaCount; index += 1) {
    const place = districts[index % districts.length]!;
    const name = `dma-${slug(place.name.en)}-${Math.floor(index / districts.length) + 1}`;
    const fedThrough = index % chainOf === chainOf - 1 ? areas[index - 1]!.name : undefined;
    areas.push({ name, place, demand: between(randomFor(seed, name), 60, 180), fedThrough });
  }
  const passedOn = areas.flatMap((to, index) =>
    to.fedThrough === undefined ? [] : [{ from: areas[index - 1]!, to }],
  );
  return {
    sources,
    areas,
    customers: Math.max(0, meters - sources - areaCount - passedOn.length),
    passedOn,
    demand: areas.reduce((sum, area) => sum + area.demand, 0),
  };
}
