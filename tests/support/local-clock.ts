const hour = 3_600_000;

/**
 * What a clock on the wall of `zone` showed, told apart from how a replay finds it: every UTC hour is written down as that clock, so a
 * repeated hour has two instants and a skipped one has none. Times are milliseconds; a wall time is written as if it were UTC.
 */
export class LocalClock {
  readonly #format: Intl.DateTimeFormat;

  constructor(zone: string) {
    const digits = "2-digit";
    this.#format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: digits,
      day: digits,
      hour: digits,
      minute: digits,
      second: digits,
    });
  }

  wallAt(utc: number): number {
    const parts = new Map(this.#format.formatToParts(utc).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? Number.NaN;
    return Date.UTC(
      part("year"),
      part("month") - 1,
      part("day"),
      part("hour"),
      part("minute"),
      part("second"),
    );
  }

  /** As recorders write it: `2021-10-31 02:00:00`. */
  stampAt(utc: number): string {
    return new Date(this.wallAt(utc)).toISOString().slice(0, 19).replace("T", " ");
  }

  /**
   * The instants of stamps on the hour, in a file's order: of a repeated stamp the first is the earlier instant.
   * @param interval  Stamps name the end of an interval of this length.
   * @returns undefined for a stamp that the clock never showed, or showed less often.
   */
  instantsOf(stamps: readonly string[], interval: number): (number | undefined)[] {
    const walls = stamps.map((stamp) => Date.parse(`${stamp.replace(" ", "T")}Z`));
    const byWall = new Map<number, number[]>();
    const [first, last] = [Math.min(...walls) - 48 * hour, Math.max(...walls) + 48 * hour];
    for (let utc = first - (first % hour); utc <= last; utc += hour) {
      const wall = this.wallAt(utc - interval) + interval;
      byWall.set(wall, [...(byWall.get(wall) ?? []), utc]);
    }
    return walls.map((wall) => byWall.get(wall)?.shift());
  }
}
