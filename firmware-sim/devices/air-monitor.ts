import type { Corridor } from "../network/roads.ts";
import { between, normal, wander } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly corridor: Corridor;
  readonly roadside: number;
  readonly background: number; // ug/m3 of PM10 on a clear day
}

/** An air monitor: dust from the desert, exhaust from the road, both thinned by wind. `size` has no meaning here. */
export const airMonitor: DeviceModel<Traits, { dust: number; exhaust: number }> = {
  measurement: "air_quality",
  fields: [
    { name: "pm2_5", decimals: 1 },
    { name: "pm10", decimals: 1 },
    { name: "no2", decimals: 1 },
  ],

  traits: ({ id, attributes }, random, { roads }) => ({
    corridor: roads.corridor(attributes.corridor ?? id),
    roadside: between(random, 0.4, 1.3),
    background: between(random, 50, 85),
  }),

  initial: () => ({ dust: 0, exhaust: 0 }),

  step(traits, state, moment, dt_s, random, out) {
    const { weather } = moment;
    state.dust = wander(state.dust, random, dt_s, { memory_s: 3600, spread: 0.15 });
    state.exhaust = wander(state.exhaust, random, dt_s, { memory_s: 1800, spread: 0.12 });
    const stillness = 4 / (1.5 + weather.wind_speed);
    const { demand, blocked } = traits.corridor.at(moment);
    const traffic =
      traits.roadside * demand * (1 + 0.4 * blocked) * stillness * Math.max(0.1, 1 + state.exhaust);
    const pm10 =
      (traits.background + 900 * weather.dust ** 1.6) * Math.max(0.2, 1 + state.dust) + 22 * traffic;
    out[0] = Math.max(1, 0.34 * pm10 + 9 * traffic + 0.8 * normal(random));
    out[1] = Math.max(2, pm10 + 1.5 * normal(random));
    out[2] = Math.max(0.5, 9 + 48 * traffic + 1.2 * normal(random));
  },
};
