/** The clock on the walls of an IANA time zone. Wall times are numbers: ms since 1970 as if the wall showed UTC. */
export interface Zone {
  readonly name: string;
  /** How far the wall clock is ahead of UTC at this instant, ms. */
  offsetAt(utc: number): number;
  /** The instants at which the wall shows this time: one, two (the repeated hour) or none (the skipped one); ascending. */
  instantsOf(wall: number): number[];
  /** The instant of a wall time that a clock change skips, as if the change had not come yet: 02:30 -> 03:30. */
  instantOfSkipped(wall: number): number;
}

const quarter_ms = 15 * 60_000;
const day_ms = 24 * 3_600_000;
const maxRemembered = 4096;

/** @throws RangeError when the zone is unknown. */
export function makeZone(name: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    calendar: "iso8601",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  // Clocks change on a quarter of an hour, so one question to Intl serves the whole quarter.
  const remembered = new Map<number, number>();

  function offsetAt(utc: number): number {
    const instant = Math.floor(utc / quarter_ms);
    let offset = remembered.get(instant);
    if (offset === undefined) {
      offset = wallTime(format, instant * quarter_ms) - instant * quarter_ms;
      if (remembered.size >= maxRemembered) remembered.clear();
      remembered.set(instant, offset);
    }
    return offset;
  }

  return {
    name,
    offsetAt,
    instantsOf(wall) {
      // A day to each side is beyond any offset, and no zone changes twice in two days.
      const before = wall - offsetAt(wall - day_ms);
      const after = wall - offsetAt(wall + day_ms);
      const instants = before === after ? [before] : [before, after].sort((a, b) => a - b);
      return instants.filter((instant) => instant + offsetAt(instant) === wall);
    },
    instantOfSkipped: (wall) => wall - offsetAt(wall - day_ms),
  };
}

function wallTime(format: Intl.DateTimeFormat, utc: number): number {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(utc)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
