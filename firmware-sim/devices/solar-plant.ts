import { between, happens, normal, wander } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface State {
  haze: number;
  /** Share of the light that dust on the panels takes; cleaning ends it. */
  soiling: number;
  energy_total: number;
}

/** A photovoltaic plant; `size` is its power at 1000 W/m2, kW. Heat and dust cost it what they cost in the Gulf. */
export const solarPlant: DeviceModel<{ peak: number }, State> = {
  measurement: "solar",
  fields: [
    { name: "power", decimals: 3 },
    { name: "energy_total", decimals: 3 },
    { name: "irradiance", decimals: 1 },
    { name: "panel_temp", decimals: 1 },
  ],

  traits: (sensor) => ({ peak: sensor.size }),

  initial: (traits, random) => ({
    haze: 0,
    soiling: between(random, 0, 0.08),
    energy_total: Math.round(traits.peak * 5 * between(random, 50, 900)),
  }),

  step(traits, state, moment, dt_s, random, out) {
    const { weather } = moment;
    state.haze = wander(state.haze, random, dt_s, { memory_s: 600, spread: 0.04 });
    state.soiling += ((0.004 + 0.03 * weather.dust) * dt_s) / 86_400;
    if (state.soiling > 0.2 || happens(random, 1 / (24 * 21), dt_s)) state.soiling = 0.01;

    const irradiance = weather.irradiance * Math.min(1.05, 0.97 + state.haze);
    const panel_temp =
      weather.temp + (irradiance * 0.034) / (1 + 0.06 * weather.wind_speed) + 0.2 * normal(random);
    const yielded = Math.max(0, 1 - 0.004 * (panel_temp - 25)) * (1 - state.soiling) * 0.9;
    const power = (traits.peak * irradiance * yielded) / 1000;
    state.energy_total += (power * dt_s) / 3600;
    out[0] = power;
    out[1] = state.energy_total;
    out[2] = irradiance;
    out[3] = panel_temp;
  },
};
