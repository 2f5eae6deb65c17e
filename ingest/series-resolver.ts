import type { ResolveSeries } from "#telemetry/decode.ts";
import type { DeviceNames } from "#telemetry/senml/names.ts";
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

/** Later than any version of a sensor's attributes. */
const lastOfAll = 8.64e15;
const noNames: Readonly<Record<string, string>> = {};

/** What an agency's devices call their fields in SenML: as was said last, whatever time a reading is of. */
export function deviceNames(
  registry: Pick<Registry, "lookup" | "attributes">,
): (agency: string) => DeviceNames {
  return (agency) => (sensor) => {
    if (registry.lookup(agency, sensor) === undefined) return undefined;
    return registry.attributes(agency, sensor, lastOfAll)?.senml ?? noNames;
  };
}
