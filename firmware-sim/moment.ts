import { weatherAt, type Weather } from "./climate.ts";
import { smoothNoise } from "./random.ts";
import type { Zone } from "./zone.ts";

/** An instant as a city lives it; made once a step and shared by all its sensors. */
export interface Moment {
  /** ms since 1970, UTC. */
  readonly time: number;
  /** Local hour of the day with its fraction, 0..24. */
  readonly hour: number;
  /** Local hour of the week with its fraction, 0..168; 0 is Sunday 00:00. */
  readonly weekHour: number;
  readonly weather: Weather;
  /** Frequency of the electricity grid, Hz. */
  readonly grid_hz: number;
}

const hour_ms = 3_600_000;
const day_ms = 24 * hour_ms;

export function momentAt(seed: number, zone: Zone, time: number): Moment {
  const wall = time + zone.offsetAt(time);
  const localDay = Math.floor(wall / day_ms);
  const hour = (wall - localDay * day_ms) / hour_ms;
  const weekday = (localDay + 4) % 7; // 1 January 1970 was a Thursday
  const dayOfYear = localDay - Math.floor(Date.UTC(new Date(wall).getUTCFullYear(), 0, 1) / day_ms);
  return {
    time,
    hour,
    weekHour: weekday * 24 + hour,
    weather: weatherAt(seed, time, hour, dayOfYear),
    grid_hz: 50 + 0.018 * smoothNoise(seed, 7, time / 45_000) + 0.02 * smoothNoise(seed, 8, time / 600_000),
  };
}
