import { sayable } from "./tags.ts";

/** Tag keys and values as both stores keep them: in byte order of the keys, without those that say nothing. */
export type TagSet = Readonly<Record<string, string>>;

export function tagSetOf(given: Readonly<Record<string, string>>): TagSet {
  const tags: Record<string, string> = {};
  for (const key of Object.keys(given).toSorted()) {
    const value = sayable(given[key]);
    if (value !== "") tags[key] = value;
  }
  return tags;
}
