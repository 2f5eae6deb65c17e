import type { Zone } from "#telemetry/zone.ts";

/** A time as a file has it: an instant, or what a wall clock showed. ms since 1970. */
export type Stamp =
  | { readonly kind: "instant"; readonly utc: number }
  | { readonly kind: "wall"; readonly wall: number };

const stampForm =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)? ?(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;

/**
 * Reads `2016-10-01 00:00:00`, `2021-01-01 00:00`, `2021-01-01`, and ISO 8601 with `T`, fractions and zone (`Z`, `+03:00`, `+0300`, `+03`);
 * undefined for anything else and for dates that no calendar has. Digits beyond the millisecond are cut off.
 */
export function parseStamp(text: string): Stamp | undefined {
  const match = stampForm.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone] = match;
  const wall = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const back = new Date(wall);
  // Date.UTC rolls 31 February over to March; and counts the years 0 to 99 from 1900.
  const isReal =
    back.getUTCFullYear() === Number(year) &&
    back.getUTCMonth() === Number(month) - 1 &&
    back.getUTCDate() === Number(day) &&
    back.getUTCHours() === Number(hour) &&
    back.getUTCMinutes() === Number(minute) &&
    back.getUTCSeconds() === Number(second);
  if (!isReal) return undefined;
  const time = wall + Number(fraction.slice(0, 3).padEnd(3, "0"));
  if (zone === undefined) return { kind: "wall", wall: time };
  const offset = offsetOf(zone);
  return offset === undefined ? undefined : { kind: "instant", utc: time - offset };
}

/** ms ahead of UTC. */
function offsetOf(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(":", ""));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** How a row's time was found. `repeated-hour`: the second pass of the hour that a clock repeats; `skipped-hour`: no clock showed it. */
export type Resolution = "plain" | "repeated-hour" | "skipped-hour";

/**
 * Turns the stamps of a file, in its order, into instants. In the hour that the end of daylight saving repeats, the first row with a
 * wall time is the earlier instant and the second the later one; once a row was of the second pass, those that follow it are too. A wall
 * time that the start of daylight saving skips is taken as if the clock had not been changed yet (02:30 -> 03:30), as java.time and
 * Temporal do.
 *
 * @param interval_ms For files whose stamps name the end of an interval of this length: 02:00 is the end of what began at 01:00, and it is the
 * beginning that repeats or is skipped. The answer is the interval's end.
 */
export class StampResolver {
  readonly #zone: Zone;
  readonly #interval_ms: number;
  /** Wall times of the repeated hour seen so far. */
  readonly #seen = new Set<number>();
  #lastRepeated: number | undefined;

  constructor(zone: Zone, interval_ms = 0) {
    this.#zone = zone;
    this.#interval_ms = interval_ms;
  }

  resolve(stamp: Stamp): { utc: number; resolution: Resolution } {
    if (stamp.kind === "instant") return { utc: stamp.utc, resolution: "plain" };
    const { utc, resolution } = this.#resolveWall(stamp.wall - this.#interval_ms);
    return { utc: utc + this.#interval_ms, resolution };
  }

  #resolveWall(wall: number): { utc: number; resolution: Resolution } {
    const [earlier, later] = this.#zone.instantsOf(wall);
    if (earlier === undefined) return { utc: this.#zone.instantOfSkipped(wall), resolution: "skipped-hour" };
    if (later === undefined) {
      this.#lastRepeated = undefined;
      return { utc: earlier, resolution: "plain" };
    }
    const second = this.#seen.has(wall) || (this.#lastRepeated !== undefined && wall > this.#lastRepeated);
    this.#seen.add(wall);
    if (second) this.#lastRepeated = wall;
    return second ? { utc: later, resolution: "repeated-hour" } : { utc: earlier, resolution: "plain" };
  }
}
