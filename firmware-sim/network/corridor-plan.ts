import type { Place } from "#telemetry/places.ts";
import { slug } from "../slug.ts";

/** A stretch of road between two districts. */
export interface CorridorPlan {
  /** Unique in a city, at most 64 characters. An approach to the hospital begins with `emergency-`. */
  readonly name: string;
  readonly from: Place;
  readonly to: Place;
  readonly emergency: boolean;
  /** Leads away from the venue of events. */
  readonly venue: boolean;
}

/** The district with the stadium: the second that cities list, so that the capital's centre is not it. */
export function venueDistrict(districts: readonly Place[]): Place | undefined {
  return districts[1];
}

/**
 * Corridors lead from every outer district into the first municipality, whose own districts are joined last; partners are taken from the
 * end, so that ports and plants, which places list last, meet one another. The second of the partners has the hospital.
 */
export function corridorAt(index: number, districts: readonly Place[]): CorridorPlan {
  const starts = startsOf(districts);
  return corridorFrom(starts[index % starts.length]!, Math.floor(index / starts.length), districts);
}

/** The `round`-th corridor that begins in a district; 0 is the first. */
export function corridorFrom(from: Place, round: number, districts: readonly Place[]): CorridorPlan {
  const start = startsOf(districts).indexOf(from);
  const partners = innerOf(districts)
    .filter((place) => place !== from)
    .toReversed();
  const partner = partners.length === 0 ? 0 : (start + round) % partners.length;
  const to = partners[partner] ?? from;
  const emergency = partner === 1;
  const stretch = `${slug(from.name.en)}-${slug(to.name.en)}${round === 0 ? "" : `-${round + 1}`}`;
  return {
    name: `${emergency ? "emergency-" : ""}${stretch}`.slice(0, 64),
    from,
    to,
    emergency,
    venue: from === venueDistrict(districts),
  };
}

function startsOf(districts: readonly Place[]): Place[] {
  const inner = innerOf(districts);
  return [...districts.filter((place) => !inner.includes(place)), ...inner];
}

function innerOf(districts: readonly Place[]): Place[] {
  const capital = districts[0]!.municipality;
  return districts.filter(({ municipality }) => municipality === capital);
}
