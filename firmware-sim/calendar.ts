import { sunsetHour } from "./climate.ts";
import type { Zone } from "#telemetry/zone.ts";

/** How a city spends a day. The weekend is Friday and Saturday. */
export type DayKind = "workday" | "friday" | "saturday" | "eid";

export interface CityDay {
  readonly kind: DayKind;
  /** The month of fasting: another rhythm on every kind of day. */
  readonly ramadan: boolean;
  /** On the city's clock, h. */
  readonly sunset_h: number;
}

const day_ms = 86_400_000;

/** Months of the Islamic calendar, and the days of the two feasts: Shawwal 1-4, and Dhu al-Hijjah 9 (Arafah) to 13. */
const ramadanMonth = 9;
const feasts: readonly { month: number; first: number; last: number }[] = [
  { month: 10, first: 1, last: 4 },
  { month: 12, first: 9, last: 13 },
];

const islamic = new Intl.DateTimeFormat("en-u-ca-islamic-umalqura-nu-latn", {
  timeZone: "UTC",
  month: "numeric",
  day: "numeric",
});

/** Month (1 = Muharram) and day of the Umm al-Qura calendar on a local day, counted from 1 January 1970. */
export function islamicDate(localDay: number): { month: number; day: number } {
  const date = { month: 0, day: 0 };
  for (const { type, value } of islamic.formatToParts(localDay * day_ms + day_ms / 2)) {
    if (type === "month" || type === "day") date[type] = Number(value);
  }
  return date;
}

/** The day that the city's clock counts as the `localDay`-th since 1 January 1970. Asks Intl: remember the answer. */
export function cityDay(zone: Zone, localDay: number): CityDay {
  const { month, day } = islamicDate(localDay);
  const noon = localDay * day_ms + day_ms / 2;
  const offset_h = zone.offsetAt(noon) / 3_600_000;
  const feast = feasts.some((each) => each.month === month && day >= each.first && day <= each.last);
  return {
    kind: feast ? "eid" : weekdayKind((((localDay + 4) % 7) + 7) % 7), // 1 January 1970 was a Thursday
    ramadan: month === ramadanMonth,
    sunset_h: sunsetHour(dayOfYear(localDay)) + offset_h,
  };
}

/** 0 is 1 January. */
export function dayOfYear(localDay: number): number {
  return localDay - Math.floor(Date.UTC(new Date(localDay * day_ms).getUTCFullYear(), 0, 1) / day_ms);
}

function weekdayKind(weekday: number): DayKind {
  if (weekday === 5) return "friday";
  return weekday === 6 ? "saturday" : "workday";
}
