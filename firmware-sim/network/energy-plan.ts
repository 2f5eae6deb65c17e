import type { Place } from "#telemetry/places.ts";

/** Of seven meters six are customers', the last is on the feeder that supplies them. */
export const metersPerFeeder = 7;

/** The substation of the `group`-th feeder. What it supplies, and what feeds into it, carries its name as `site`. */
export function substation(group: number, districts: readonly Place[]): { place: string; site: string } {
  const place = districts[group % districts.length]!;
  return { place: place.code, site: `${place.name.en} substation ${group + 1}`.slice(0, 64) };
}
