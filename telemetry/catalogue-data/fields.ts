import type { Field, Range } from "../catalogue.ts";

/** Physical ranges: any finite number, unless mathematics says otherwise. */
export const anyNumber: Range = [null, null];
export const notNegative: Range = [0, null];
export const share: Range = [0, 1];
export const percent: Range = [0, 100];
export const temperature: Range = [-273.15, null];

interface Ranges {
  readonly plausible: Range;
  readonly physical?: Range;
  /** For a mean over what a delta counts: that delta. */
  readonly weighted_by?: string;
}

/** A level, physically any finite number unless `physical` says more. */
export function gauge(name: string, unit: string, en: string, ar: string, ranges: Ranges): Field {
  const { physical = anyNumber, plausible, weighted_by: weight } = ranges;
  const made = field(name, "gauge", unit, { en, ar }, physical, plausible);
  return weight === undefined ? made : { ...made, weighted_by: weight };
}

/** An amount over the sensor's window. */
export function delta(name: string, unit: string, en: string, ar: string, ranges: Ranges): Field {
  return field(name, "delta", unit, { en, ar }, ranges.physical ?? notNegative, ranges.plausible);
}

/** A total that only rises; of a gauge, where it is that one's integral over time. */
export function counter(name: string, unit: string, en: string, ar: string, integral_of?: string): Field {
  const total = field(name, "counter", unit, { en, ar }, notNegative, notNegative);
  return integral_of === undefined ? total : { ...total, integral_of };
}

/** 0 or 1; between them as the mean over a roll-up's window. */
export function state(name: string, en: string, ar: string): Field {
  return { ...field(name, "gauge", "1", { en, ar }, share, share), state: true };
}

function field(
  name: string,
  kind: Field["kind"],
  unit: string,
  title: Field["title"],
  physical: Range,
  plausible: Range,
): Field {
  return { name, type: "float", kind, unit, physical, plausible, title };
}
