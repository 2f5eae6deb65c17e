import { z } from "zod";
import { qatar } from "./places-data.ts";

const Title = z.strictObject({ en: z.string().min(1), ar: z.string().min(1) });

/** Longitude and latitude (WGS 84) of where a map shows it. */
const Position = z.tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)]);

const District = z.strictObject({
  code: z
    .string()
    .regex(/^[A-Z]{2}-[A-Z0-9]{1,3}-[a-z0-9-]+$/, "its municipality's code, a hyphen, and a lower-case name"),
  name: Title,
  /** Other spellings taken on input. */
  aliases: z.array(z.string()),
  position: Position.optional(),
});

const Municipality = z.strictObject({
  code: z.string().regex(/^[A-Z]{2}-[A-Z0-9]{1,3}$/, "an ISO 3166-2 code"),
  name: Title,
  aliases: z.array(z.string()),
  position: Position.optional(),
  districts: z.array(District),
});

/** Where a city is in space and time: its places, its zone and its week. */
export const City = z.strictObject({
  code: z.string().regex(/^[A-Z]{2}$/, "an ISO 3166-1 code"),
  name: Title,
  /** An IANA time zone: days, weeks and KPI periods are counted in it. */
  zone: z.string(),
  first_day_of_week: z.enum(["sunday", "monday", "saturday"]),
  municipalities: z.array(Municipality).min(1),
});
export type City = z.infer<typeof City>;

/** A municipality, or a district of one. */
export interface Place {
  readonly code: string;
  readonly name: { readonly en: string; readonly ar: string };
  readonly aliases: readonly string[];
  /** Longitude and latitude. */
  readonly position?: readonly [number, number] | undefined;
  /** The code of the municipality it is or lies in. */
  readonly municipality: string;
  /** Its own code, if it is a district. */
  readonly district: string | undefined;
}

export interface Places {
  readonly city: City;
  /** Municipalities, each followed by its districts. */
  readonly all: readonly Place[];
  /** By code, name in either language, or alias; case, accents, spaces, hyphens and Arabic spelling variants do not matter. */
  find(text: string): Place | undefined;
  /** The English names (and codes) most like `text`, best first. */
  nearest(text: string, count?: number): readonly string[];
}

/** @throws RangeError when two places answer to one name. */
export function makePlaces(city: City): Places {
  const all = city.municipalities.flatMap(({ districts, ...municipality }): Place[] => [
    { ...municipality, municipality: municipality.code, district: undefined },
    ...districts.map((district) => ({
      ...district,
      municipality: municipality.code,
      district: district.code,
    })),
  ]);
  const byKey = new Map<string, Place>();
  for (const place of all) {
    for (const key of new Set(spellings(place).map(placeKey))) {
      const other = byKey.get(key);
      if (other !== undefined)
        throw new RangeError(`${place.code} and ${other.code} share the name "${key}"`);
      byKey.set(key, place);
    }
  }
  return {
    city,
    all,
    find: (text) => byKey.get(placeKey(text)),
    nearest: (text, count = 3) => {
      const key = placeKey(text).slice(0, maxCompared);
      return all
        .map((place) => ({
          place,
          distance: Math.min(...spellings(place).map((name) => editDistance(key, placeKey(name)))),
        }))
        .sort((a, b) => a.distance - b.distance)
        .slice(0, count)
        .map(({ place }) => `${place.name.en} (${place.code})`);
    },
  };
}

/** The places of the city that this build is for. */
export const places: Places = makePlaces(qatar);

export function findPlace(text: string): Place | undefined {
  return places.find(text);
}

/** Why a place is refused, with the nearest names: for people. */
export function unknownPlace(text: string): string {
  return `unknown place "${text.slice(0, maxCompared)}"; the nearest are ${places.nearest(text).join(", ")}`;
}

/** Longest part of an unknown name that is compared. */
const maxCompared = 64;

function spellings(place: Place): string[] {
  return [place.code, place.name.en, place.name.ar, ...place.aliases];
}

/** What is left of a name when spelling variants are taken out: `Al-Wakrah`, `al wakrah` and `الوكره` agree with the list. */
function placeKey(text: string): string {
  return text
    .normalize("NFKD")
    .replaceAll(/\p{M}|ـ/gu, "") // accents, Arabic vowel signs and hamzas, tatweel
    .replaceAll("ة", "ه")
    .replaceAll("ى", "ي")
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, " ")
    .trim();
}

/** Levenshtein's distance: insertions, deletions and substitutions. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substituted, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
