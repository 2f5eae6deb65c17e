import type { TagName } from "#telemetry/catalogue.ts";

/** Tags that hold for readings of `from` (milliseconds since 1970) and later, until the next version's. */
export interface TagVersion {
  readonly from: number;
  /** Without agency and sensor, which always are tags. Never `gateway`: a swapped gateway must not split a sensor's history. */
  readonly tags: Readonly<Partial<Record<TagName, string>>>;
}

/** What the registry says of a sensor over the time of events: versions by `from`, rising; the first holds before its `from`, too. */
export type TagsOf = (agency: string, sensor: string) => readonly TagVersion[];

/** The tags that a row in InfluxDB may have. */
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

/** A series in one time of its life: how its lines begin. */
export interface Prefix {
  readonly from: number;
  readonly tags: RowTags;
  /** `traffic_flow,agency=mobility,municipality=QA-DA,sensor=tf-1 `, with the blank. */
  readonly bytes: Uint8Array;
}

export interface SensorOfSeries {
  readonly measurement: string;
  readonly agency: string;
  readonly sensor: string;
}

/** How the lines of a series begin, by event time. At least one. */
export function prefixesOf(
  { measurement, agency, sensor }: SensorOfSeries,
  versions: readonly TagVersion[],
): Prefix[] {
  const known = versions.length > 0 ? versions : [{ from: Number.NEGATIVE_INFINITY, tags: {} }];
  return known.map(({ from, tags: given }) => {
    const tags: Record<string, string> = {};
    const all: Readonly<Partial<Record<TagName, string>>> = { ...given, agency, sensor };
    for (const name of rowTags) {
      const value = sayable(all[name]);
      if (value !== "") tags[name] = value;
    }
    const text = Object.entries(tags).map(([name, value]) => `,${name}=${escapeTag(value)}`);
    return { from, tags, bytes: Buffer.from(`${measurement}${text.join("")} `) };
  });
}

/** How the lines of a tag set begin, at any time. */
export function prefixOf(measurement: string, tags: Readonly<Record<string, string>>): Prefix {
  const text = Object.entries(tags).map(([name, value]) => `,${escapeTag(name)}=${escapeTag(value)}`);
  return { from: Number.NEGATIVE_INFINITY, tags: {}, bytes: Buffer.from(`${measurement}${text.join("")} `) };
}

/** The version in force at `time`. */
export function prefixAt(prefixes: readonly Prefix[], time: number): Prefix {
  for (let i = prefixes.length - 1; i > 0; i--) if (prefixes[i]!.from <= time) return prefixes[i]!;
  return prefixes[0]!;
}

export function sameTags(a: RowTags, b: RowTags): boolean {
  return rowTags.every((name) => (a[name] ?? "") === (b[name] ?? ""));
}

/** Line protocol has no way to say a tag value that ends with a backslash: it would escape what follows. */
export function sayable(value: string | undefined): string {
  return value?.replace(/\\+$/, "").replaceAll(/[\n\r\t]/g, " ") ?? "";
}

function escapeTag(value: string): string {
  return value.replaceAll(/[,= ]/g, "\\$&");
}
