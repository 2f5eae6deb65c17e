import { type Conversion, conversion } from "../units.ts";

/**
 * SenML's unit symbols in UCUM: the registry of RFC 8428 (12.1), and RFC 8798's additions and secondary units with those registered since. In braces
 * stands what no unit of a catalogue is like: a latitude, a level in decibels, apparent power.
 */
const symbols: Readonly<Record<string, string>> = {
  m: "m",
  kg: "kg",
  g: "g",
  s: "s",
  A: "A",
  K: "K",
  cd: "cd",
  mol: "mol",
  Hz: "Hz",
  rad: "rad",
  sr: "{sr}",
  N: "N",
  Pa: "Pa",
  J: "J",
  W: "W",
  C: "C",
  V: "V",
  F: "C/V",
  Ohm: "Ohm",
  S: "S",
  Wb: "V.s",
  T: "V.s/m2",
  H: "V.s/A",
  Cel: "Cel",
  lm: "{lm}",
  lx: "lx",
  Bq: "{Bq}",
  Gy: "{Gy}",
  Sv: "{Sv}",
  kat: "mol/s",
  m2: "m2",
  m3: "m3",
  l: "L",
  "m/s": "m/s",
  "m/s2": "m/s2",
  "m3/s": "m3/s",
  "l/s": "L/s",
  "W/m2": "W/m2",
  "cd/m2": "cd/m2",
  bit: "bit",
  "bit/s": "bit/s",
  lat: "{lat}",
  lon: "{lon}",
  pH: "[pH]",
  dB: "{dB}",
  dBW: "{dBW}",
  Bspl: "{Bspl}",
  count: "{count}",
  "/": "1",
  // For history's sake the ratio 0 … 1, not hundredths (RFC 8428, 12.1, note 2).
  "%": "1",
  "%RH": "%",
  "%EL": "%",
  EL: "s",
  "1/s": "/s",
  "1/min": "/min",
  "beat/min": "/min",
  beats: "{beats}",
  "S/m": "S/m",
  B: "By",
  VA: "{VA}",
  VAs: "{VAs}",
  var: "{var}",
  vars: "{vars}",
  "J/m": "J/m",
  "kg/m3": "kg/m3",
  deg: "deg",
  NTU: "{NTU}",
  ms: "ms",
  min: "min",
  h: "h",
  MHz: "MHz",
  kW: "kW",
  kVA: "{kVA}",
  kvar: "{kvar}",
  Ah: "A.h",
  Wh: "W.h",
  kWh: "kW.h",
  varh: "{varh}",
  kvarh: "{kvarh}",
  kVAh: "{kVAh}",
  VAh: "{VAh}",
  "Wh/km": "W.h/km",
  KiB: "{KiB}",
  GB: "GBy",
  "Mbit/s": "Mbit/s",
  "B/s": "By/s",
  "MB/s": "MBy/s",
  mV: "mV",
  mA: "mA",
  dBm: "{dBm}",
  "ug/m3": "ug/m3",
  "mm/h": "mm/h",
  "m/h": "m/h",
  ppm: "[ppm]",
  ppb: "[ppb]",
  "/100": "%",
  "/1000": "{/1000}",
  hPa: "hPa",
  mm: "mm",
  cm: "cm",
  km: "km",
  "km/h": "km/h",
  "mg/l": "mg/L",
  "ug/l": "ug/L",
  "g/l": "g/L",
};

const same: Conversion = { multiply: 1, divide: 1, add: 0 };

/**
 * From a record's unit to a field's, which is UCUM; undefined for a wrong unit. No unit means the field's own, and so does the
 * field's unit spelled as the catalogue spells it, where that is no symbol of SenML's. A `count` is of whatever the field counts.
 */
export function fieldConversion(unit: string | undefined, field: string): Conversion | undefined {
  if (unit === undefined) return same;
  const ucum = Object.hasOwn(symbols, unit) ? symbols[unit]! : unit;
  if (ucum === "{count}") return field === "1" || field.startsWith("{") ? same : undefined;
  return conversion(ucum, field);
}

/**
 * The same for a sum, which is in the unit times seconds. Without a unit it is the summed field's own; `field` undefined: the sum is named
 * after the counter itself.
 */
export function sumConversion(
  unit: string | undefined,
  field: string | undefined,
  counter: string,
): Conversion | undefined {
  const given = unit ?? field;
  if (given === undefined) return same;
  const ucum = Object.hasOwn(symbols, given) && unit !== undefined ? symbols[given]! : given;
  return conversion(`${ucum}.s`, counter);
}
