import type { TagName } from "#telemetry/catalogue.ts";

/** Tags that hold for readings of `from` (milliseconds since 1970) and later, until the next version's. */
export interface TagVersion {
  readonly from: number;
  /** Without agency and sensor, which always are tags. Never `gateway`: a swapped gateway must not split a sensor's history. */
  readonly tags: Readonly<Partial<Record<TagName, string>>>;
}

/** What the registry says of a sensor over the time of events: versions by `from`, rising; the first holds before its `from`, too. */
export type TagsOf = (agency: string, sensor: string) => readonly TagVersion[];

export interface SensorRef {
  readonly agency: string;
  readonly sensor: string;
}

/** The tags that a row of readings may have, in byte order. */
export const rowTags = [
  "agency",
  "commodity",
  "corridor",
  "district",
  "dma",
  "lane",
  "municipality",
  "role",
  "sensor",
  "site",
] as const satisfies readonly TagName[];
export type RowTags = Readonly<Partial<Record<(typeof rowTags)[number], string>>>;

/** Those that say something, as both stores answer them. */
export function cleanTags(given: Readonly<Partial<Record<TagName, string>>>): RowTags {
  const tags: Record<string, string> = {};
  for (const name of rowTags) {
    const value = sayable(given[name]);
    if (value !== "") tags[name] = value;
  }
  return tags;
}

/** Line protocol has no way to say a tag value that ends with a backslash: it would escape what follows. */
export function sayable(value: string | undefined): string {
  return value?.replace(/\\+$/, "").replaceAll(/[\n\r\t]/g, " ") ?? "";
}
