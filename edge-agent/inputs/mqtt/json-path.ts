/** Keys, and indices of lists. */
export type JsonPath = readonly (string | number)[];

/** `ENERGY.Power`, `emeters[0].power`, `em:0.a_act_power`; a list of keys is a path as it stands. */
export function parsePath(path: string | JsonPath): JsonPath {
  if (typeof path !== "string") return path;
  return path.split(".").flatMap((part) => {
    const [, key = part, indices = ""] = /^([^[\]]*)((?:\[\d+\])+)$/.exec(part) ?? [];
    const places = Array.from(indices.matchAll(/\d+/g), ([digits]) => Number(digits));
    return key === "" && places.length > 0 ? places : [key, ...places];
  });
}

/** What stands at `path` of a parsed JSON document; undefined if there is nothing. */
export function valueAt(document: unknown, path: JsonPath): unknown {
  let value = document;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
