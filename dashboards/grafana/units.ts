import * as grafana from "@grafana/grafana-foundation-sdk/units";
import type { Field } from "#telemetry/catalogue.ts";
import type { Language, Text } from "./language.ts";

/** Grafana's own unit for a UCUM code: it scales them (kW to MW) and writes the international symbol in either language. */
const own: Readonly<Record<string, string>> = {
  "1": grafana.NoUnit,
  "%": grafana.Percent,
  deg: grafana.Degrees,
  s: grafana.Seconds,
  ms: grafana.Milliseconds,
  m: grafana.Meter,
  m3: grafana.CubicMeter,
  t: grafana.MetricTon,
  kPa: grafana.Kilopascals,
  Cel: grafana.Celsius,
  kW: grafana.KiloWatt,
  "kW.h": grafana.KiloWattHour,
  V: grafana.Volt,
  A: grafana.Ampere,
  Hz: grafana.Hertz,
  "W/m2": grafana.WattPerSquareMeter,
  "km/h": grafana.KilometersPerHour,
  "m/s": grafana.MetersPerSecond,
  "ug/m3": grafana.MicrogramPerCubicMeter,
  By: grafana.BytesIEC,
};

/** What Grafana has no unit for: its symbol, or the noun of what is counted. */
const custom: Readonly<Record<string, Text>> = {
  "L/s": { en: "L/s", ar: "L/s" },
  "mg/L": { en: "mg/L", ar: "mg/L" },
  "uS/cm": { en: "µS/cm", ar: "µS/cm" },
  "[pH]": { en: "pH", ar: "pH" },
  "{NTU}": { en: "NTU", ar: "NTU" },
  "/s": { en: "/s", ar: "/ث" },
  "{reading}/s": { en: "readings/s", ar: "قراءة/ث" },
  "{vehicle}": { en: "vehicles", ar: "مركبة" },
  "{reading}": { en: "readings", ar: "قراءة" },
  "{device}": { en: "devices", ar: "جهاز" },
  "{gateway}": { en: "gateways", ar: "بوابة" },
  "{alert}": { en: "alerts", ar: "تنبيه" },
  "{store}": { en: "stores", ar: "مخزن" },
};

/** A share of 1, which Grafana shows as a percentage. */
export const share = "share";

/** A time, in the board's zone. */
export const moment = "moment";

/**
 * Grafana's unit id for a UCUM code (or `share`, or `moment`).
 * @throws RangeError for a code that nobody has said how to write.
 */
export function grafanaUnit(ucum: string, language: Language): string {
  if (ucum === share) return grafana.PercentUnit;
  if (ucum === moment) return grafana.DatetimeISONotToday;
  const known = own[ucum];
  if (known !== undefined) return known;
  const text = custom[ucum];
  if (text === undefined) throw new RangeError(`no unit of Grafana's for "${ucum}": add it to units.ts`);
  return `suffix: ${text[language]}`;
}

/** A field's unit; what lies between 0 and 1 is a share. */
export function unitOfField(field: Field): string {
  return field.unit === "1" && field.physical[0] === 0 && field.physical[1] === 1 ? share : field.unit;
}
