import type { ResolveSeries } from "#telemetry/decode.ts";
import type { Gateways } from "./gateways.ts";
import type { Group } from "./group.ts";
import type { Registry } from "./registry/registry.ts";
import type { SeriesDictionary } from "./series-dictionary.ts";

/** How an agency's sensors become series: the registry says whose they are, the dictionary their number; a new one goes into the group. */
export function seriesResolver(parts: {
  readonly registry: Pick<Registry, "lookup">;
  readonly dictionary: SeriesDictionary;
  readonly gateways: Gateways;
  readonly group: Group;
}): (agency: string) => ResolveSeries {
  const { registry, dictionary, gateways, group } = parts;
  return (agency) => (measurement, sensor) => {
    const owner = registry.lookup(agency, sensor);
    if (!owner) return "unknown-sensor";
    if (owner.retired) return "sensor-retired";
    let series = dictionary.get(agency, measurement, sensor);
    if (series === undefined) {
      const entry = dictionary.add(agency, measurement, sensor);
      group.addSeries(entry);
      series = entry.series;
    }
    return { series, gateway: gateways.numberOf(owner.gateway) };
  };
}
