import { cityDay, dayOfYear, type CityDay } from "./calendar.ts";
import { weatherAt, type Weather } from "./climate.ts";
import { smoothNoise } from "./random.ts";
import { shapesOf, type DayShapes } from "./week-shape.ts";
import type { Zone } from "#telemetry/zone.ts";

/** An instant as a city lives it; made once a step and shared by all its sensors. */
export interface Moment {
  /** ms since 1970, UTC. */
  readonly time: number;
  /** Local hour of the day with its fraction, 0..24. */
  readonly hour: number;
  /** Local days since 1 January 1970. */
  readonly localDay: number;
  /** Local hour of the week with its fraction, 0..168; 0 is Sunday 00:00. */
  readonly weekHour: number;
  readonly day: CityDay;
  readonly yesterday: DayShapes;
  readonly today: DayShapes;
  readonly tomorrow: DayShapes;
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
  const weekday = (((localDay + 4) % 7) + 7) % 7; // 1 January 1970 was a Thursday
  const days = daysAround(zone, localDay);
  return {
    time,
    hour,
    localDay,
    weekHour: weekday * 24 + hour,
    day: days.day,
    yesterday: days.yesterday,
    today: days.today,
    tomorrow: days.tomorrow,
    weather: weatherAt(seed, time, hour, days.dayOfYear),
    grid_hz: 50 + 0.018 * smoothNoise(seed, 7, time / 45_000) + 0.02 * smoothNoise(seed, 8, time / 600_000),
  };
}

interface DaysAround {
  readonly localDay: number;
  readonly dayOfYear: number;
  readonly day: CityDay;
  readonly yesterday: DayShapes;
  readonly today: DayShapes;
  readonly tomorrow: DayShapes;
}

/** The day last asked for, by zone: the calendar is asked once a day, not once a moment. */
const remembered = new WeakMap<Zone, DaysAround>();

function daysAround(zone: Zone, localDay: number): DaysAround {
  const last = remembered.get(zone);
  if (last?.localDay === localDay) return last;
  const [before, day, after, then] = [-1, 0, 1, 2].map((ahead) => cityDay(zone, localDay + ahead)) as [
    CityDay,
    CityDay,
    CityDay,
    CityDay,
  ];
  const around = {
    localDay,
    dayOfYear: dayOfYear(localDay),
    day,
    yesterday: shapesOf(before, day),
    today: shapesOf(day, after),
    tomorrow: shapesOf(after, then),
  };
  remembered.set(zone, around);
  return around;
}
