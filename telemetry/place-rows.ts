import { type Places, places } from "./places.ts";

/** A row of the measurement `place`. */
export interface PlaceRow {
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** What a choice of places is made of, in one text: the name that is shown, and the code that is asked for. */
export const optionPattern = /^(?<text>.+) \| (?<value>\S+)$/;

/** Every place as a row, at time 0. */
export function placeRows({ all }: Places = places): PlaceRow[] {
  return all.map(({ code, name, municipality, district, position }) => ({
    tags: { municipality, ...(district !== undefined && { district }) },
    fields: {
      name_en: name.en,
      name_ar: name.ar,
      option_en: `${name.en} | ${code}`,
      option_ar: `${name.ar} | ${code}`,
      ...(position && { longitude: position[0], latitude: position[1] }),
    },
  }));
}
