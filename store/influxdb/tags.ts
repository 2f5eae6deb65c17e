import { type RowTags, type TagVersion, cleanTags, rowTags } from "../tags.ts";

export { type RowTags, type TagVersion, type TagsOf, rowTags, sayable } from "../tags.ts";

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
    const tags = cleanTags({ ...given, agency, sensor });
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

function escapeTag(value: string): string {
  return value.replaceAll(/[,= ]/g, "\\$&");
}
