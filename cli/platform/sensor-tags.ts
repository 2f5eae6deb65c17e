import type { Registry } from "#ingest/registry/registry.ts";
import { type SensorRecord, attributesAt } from "#ingest/registry/sensor-record.ts";
import type { TagVersion, TagsOf } from "#store/influxdb/index.ts";
import { findPlace } from "#telemetry/places.ts";
import type { SensorAttributes } from "#telemetry/sensor.ts";

/** What the registry says of a sensor over time, as the tags of its rows. */
export function sensorTags(registry: Pick<Registry, "record">): TagsOf {
  return (agency, sensor) => {
    const record = registry.record(agency, sensor);
    return record === undefined ? [] : tagVersions(record);
  };
}

/** A version for each time from which on the tags are others. */
export function tagVersions(record: SensorRecord): TagVersion[] {
  const timelines: readonly (readonly { readonly valid_from: number }[])[] = [
    record.births,
    ...Object.values(record.overrides),
  ];
  const times = new Set(timelines.flatMap((timeline) => timeline.map(({ valid_from }) => valid_from)));
  const versions: TagVersion[] = [];
  for (const from of [Number.NEGATIVE_INFINITY, ...[...times].toSorted((a, b) => a - b)]) {
    // What an operator adds holds from 1970 on, which is as good as always.
    const tags = tagsOf(attributesAt(record, Math.max(0, from)));
    const last = versions.at(-1);
    if (last === undefined || JSON.stringify(last.tags) !== JSON.stringify(tags))
      versions.push({ from, tags });
  }
  return versions;
}

function tagsOf(attributes: SensorAttributes): TagVersion["tags"] {
  const { site, role, dma, corridor, lane, commodity } = attributes;
  const place = findPlace(attributes.place);
  const tags = {
    municipality: place?.municipality,
    district: place?.district,
    site,
    role,
    dma,
    corridor,
    lane,
    commodity,
  };
  return Object.fromEntries(
    Object.entries(tags).filter(([, value]) => value !== undefined && value !== null),
  );
}
