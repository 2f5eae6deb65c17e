import { zoneOf } from "./zones.ts";

const day = /^\d{4}-\d{2}-\d{2}/;
const plain = /^(\d{4})-(\d{2})-(\d{2})(?: (\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?)?$/;
const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** Does it begin as a date does? Only such strings are times. */
export function looksLikeTime(text: string): boolean {
  return day.test(text);
}

/**
 * `2026-03-29`, `2026-03-29 02:30:00.5` (in the zone) or RFC 3339 -> nanoseconds since 1970; undefined: there is no such time.
 * Of a repeated hour it is the later one, and a skipped hour is read as if the clock had not changed: both as InfluxDB does.
 */
export function parseTime(text: string, zone = ""): bigint | undefined {
  const match = plain.exec(text) ?? rfc3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, date, hour = "0", minute = "0", second = "0", fraction = ""] = match;
  const wall = wallTime(
    Number(year),
    Number(month),
    Number(date),
    Number(hour),
    Number(minute),
    Number(second),
  );
  if (wall === undefined) return undefined;
  const [sign, hours, minutes] = match.slice(8);
  let utc = wall;
  if (sign !== undefined) utc -= (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  else if (!text.endsWith("Z")) utc = instantOf(wall, zone);
  return BigInt(utc) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

function wallTime(
  year: number,
  month: number,
  date: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  const wall = new Date(Date.UTC(2000, month - 1, date, hour, minute, second));
  wall.setUTCFullYear(year, month - 1, date);
  const isReal = wall.getUTCMonth() === month - 1 && wall.getUTCDate() === date;
  return isReal && hour < 24 && minute < 60 && second < 60 ? wall.getTime() : undefined;
}

/** Go's way, which InfluxDB is written in: the offset that holds where the wall time would be if that were UTC, then put right once. */
function instantOf(wall: number, name: string): number {
  const zone = zoneOf(name);
  if (zone === undefined) return wall;
  return wall - zone.offsetAt(wall - zone.offsetAt(wall));
}

/** RFC 3339 in UTC, for messages. */
export function printTime(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString();
}
