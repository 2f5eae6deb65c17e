import { smoothNoise } from "./random.ts";

/** The weather that a whole city shares at one instant. */
export interface Weather {
  /** Cel */
  readonly temp: number;
  /** % */
  readonly humidity: number;
  /** m/s */
  readonly wind_speed: number;
  /** Global horizontal irradiance, W/m2. */
  readonly irradiance: number;
  /** 0 (clear) .. 1 (a dust storm). */
  readonly dust: number;
}

/** A hot desert coast (Koeppen BWh) such as Doha's: monthly means of 18 Cel in January and 36 in July. */
const coast = {
  latitude: 25.3,
  longitude: 51.5,
  meanTemp: 27,
  seasonalSwing: 9,
  hottestDay: 204, // of the year: 23 July
  dailySwing: 4.6,
  hottestHour: 14.5,
} as const;

const hour_ms = 3_600_000;
const day_ms = 24 * hour_ms;
const radians = Math.PI / 180;

/** The weather at `utc` (ms since 1970) as a pure function: all sensors of a city see the same day, in any order of asking. */
export function weatherAt(seed: number, utc: number, localHour: number, dayOfYear: number): Weather {
  const days = utc / day_ms;
  const summer = Math.cos((2 * Math.PI * (dayOfYear - coast.hottestDay)) / 365.25);
  const afternoon = Math.cos((2 * Math.PI * (localHour - coast.hottestHour)) / 24);
  const spell = smoothNoise(seed, 1, days / 3);
  const dailyMean = coast.meanTemp + coast.seasonalSwing * summer + 1.8 * spell;
  const temp = dailyMean + coast.dailySwing * afternoon + 0.5 * smoothNoise(seed, 2, utc / hour_ms);

  // Shamal, the north-west wind of early summer, carries the dust.
  const gust = smoothNoise(seed, 3, days * 2.5);
  const shamal = Math.max(0, smoothNoise(seed, 4, days / 4) + 0.25 * summer - 0.35);
  const wind_speed = Math.max(0.2, 3.6 + 1.3 * afternoon + 1.4 * gust + 9 * shamal);
  const dust = Math.min(1, 0.04 + 1.1 * shamal * (0.7 + 0.3 * gust));

  const humidity = Math.min(
    97,
    Math.max(9, 56 - 2.6 * (temp - dailyMean) + 14 * smoothNoise(seed, 5, days) - 18 * shamal - 5 * summer),
  );
  const cloud = Math.max(0, smoothNoise(seed, 6, days * 3) - 0.25 - 0.3 * summer);
  const irradiance = clearSky(utc, dayOfYear) * (1 - 0.75 * Math.min(1, cloud) ** 1.4) * (1 - 0.35 * dust);
  return { temp, humidity, wind_speed, irradiance, dust };
}

/** When the sun sets on this coast, hours of UTC. */
export function sunsetHour(dayOfYear: number): number {
  const hourAngle = Math.acos(-Math.tan(coast.latitude * radians) * Math.tan(declinationOn(dayOfYear)));
  return 12 - coast.longitude / 15 + hourAngle / radians / 15;
}

/** Of the sun, rad. */
function declinationOn(dayOfYear: number): number {
  return 23.45 * radians * Math.sin((2 * Math.PI * (284 + dayOfYear)) / 365);
}

/** Irradiance under a clear sky, W/m2 (Haurwitz 1945), from the sun's height. */
function clearSky(utc: number, dayOfYear: number): number {
  const declination = declinationOn(dayOfYear);
  const solarHour = ((utc % day_ms) / hour_ms + coast.longitude / 15 + 24) % 24;
  const hourAngle = (solarHour - 12) * 15 * radians;
  const latitude = coast.latitude * radians;
  const height =
    Math.sin(latitude) * Math.sin(declination) +
    Math.cos(latitude) * Math.cos(declination) * Math.cos(hourAngle);
  return height <= 0 ? 0 : 1098 * height * Math.exp(-0.057 / height);
}
