import { between, normal, wander } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  /** How much warmer (dense town) or cooler (shore) it stands than the city's mean, K. */
  readonly warmer: number;
  readonly exposure: number;
}

interface State {
  temp: number;
  humidity: number;
  gust: number;
  cloud: number;
}

/** A weather station: the city's weather as it is at its own spot. `size` has no meaning here. */
export const weatherStation: DeviceModel<Traits, State> = {
  measurement: "weather",
  fields: [
    { name: "temp", decimals: 2 },
    { name: "humidity", decimals: 1 },
    { name: "wind_speed", decimals: 2 },
    { name: "irradiance", decimals: 1 },
  ],

  traits: (_sensor, random) => ({ warmer: between(random, -1.2, 1), exposure: between(random, 0.75, 1.25) }),

  initial: () => ({ temp: 0, humidity: 0, gust: 0, cloud: 0 }),

  step(traits, state, { weather }, dt_s, random, out) {
    state.temp = wander(state.temp, random, dt_s, { memory_s: 3600, spread: 0.3 });
    state.humidity = wander(state.humidity, random, dt_s, { memory_s: 3600, spread: 2 });
    state.gust = wander(state.gust, random, dt_s, { memory_s: 240, spread: 0.16 });
    state.cloud = wander(state.cloud, random, dt_s, { memory_s: 900, spread: 0.03 });
    out[0] = weather.temp + traits.warmer + state.temp + 0.04 * normal(random);
    out[1] = Math.min(100, Math.max(4, weather.humidity + state.humidity));
    out[2] = weather.wind_speed * traits.exposure * Math.max(0, 1 + state.gust);
    out[3] = weather.irradiance * Math.min(1.04, 0.98 + state.cloud);
  },
};
