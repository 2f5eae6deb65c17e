import type { CitySensor } from "../devices/device.ts";
import type { FaultEffect } from "../faults/fault.ts";
import { randomFor } from "../random.ts";

/** Which substation supplies what: meters and plants say it themselves, cold stores and pumps hang on one in their own district. */
export interface Supply {
  /** Substations that a meter shows to be dark. */
  readonly sites: readonly string[];
  /** Undefined: no substation of the city that we watch. */
  siteOf(sensor: string): string | undefined;
  /** Whom a cut at this site touches. */
  effectsOf(site: string): FaultEffect[];
}

export function supplyOf(seed: number, sensors: readonly CitySensor[]): Supply {
  const meters = sensors.filter(({ kind }) => kind === "energy-meter");
  const sitesAt = Map.groupBy(meters, ({ attributes }) => attributes.place);
  const siteOf = new Map<string, string>();
  for (const { id, kind, attributes } of sensors) {
    if (kind === "energy-meter" || kind === "solar-plant") siteOf.set(id, attributes.site ?? "");
    if (kind !== "cold-store" && kind !== "water-tank") continue;
    const sites = [
      ...new Set((sitesAt.get(attributes.place) ?? []).map((meter) => meter.attributes.site ?? "")),
    ];
    const site = sites[(randomFor(seed, `${id}/supply`).next() >>> 0) % Math.max(1, sites.length)];
    if (site !== undefined) siteOf.set(id, site);
  }
  const fed = Map.groupBy(
    sensors.filter(({ id }) => siteOf.has(id)),
    ({ id }) => siteOf.get(id)!,
  );
  return {
    sites: [...new Set(meters.map(({ attributes }) => attributes.site ?? ""))],
    siteOf: (sensor) => siteOf.get(sensor),
    effectsOf: (site) =>
      touched.flatMap(({ kind, measurement, fields, only }) => {
        const own = (fed.get(site) ?? []).filter(
          (sensor) => sensor.kind === kind && (only?.(sensor) ?? true),
        );
        return own.length === 0 ? [] : [{ measurement, sensors: own.map(({ id }) => id), fields }];
      }),
  };
}

const touched: readonly (Omit<FaultEffect, "sensors"> & {
  readonly kind: CitySensor["kind"];
  readonly only?: (sensor: CitySensor) => boolean;
})[] = [
  {
    kind: "energy-meter",
    measurement: "energy_meter",
    fields: ["power", "voltage", "current", "pf", "frequency"],
  },
  { kind: "solar-plant", measurement: "solar", fields: ["power"] },
  { kind: "cold-store", measurement: "cold_storage", fields: ["temp", "compressor_on"] },
  { kind: "water-tank", measurement: "water_tank", fields: ["inflow", "level", "fill"], only: isPumped },
];

/** A tower, which holds less than two days; a reservoir fills by itself. */
export function isPumped({ size, attributes }: CitySensor): boolean {
  return (attributes.capacity_m3 ?? size * 86.4) < size * 86.4 * 2;
}
