import { between, happens, normal, wander } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly ph: number;
  readonly chlorine: number; // mg/L when the water leaves the plant
  readonly conductivity: number; // uS/cm
}

interface State {
  temp: number;
  acidity: number;
  dosing: number;
  salt: number;
  stirred: number;
}

/** A probe in the network: remineralised desalinated water, whose chlorine decays faster when it is warm. `size` has no meaning here. */
export const waterQuality: DeviceModel<Traits, State> = {
  measurement: "water_quality",
  fields: [
    { name: "ph", decimals: 2 },
    { name: "turbidity", decimals: 3 },
    { name: "chlorine_free", decimals: 3 },
    { name: "conductivity", decimals: 1 },
    { name: "temp", decimals: 2 },
  ],

  traits: (_sensor, random) => ({
    ph: between(random, 7.7, 8.2),
    chlorine: between(random, 0.45, 0.75),
    conductivity: between(random, 180, 380),
  }),

  initial: () => ({ temp: 27, acidity: 0, dosing: 0, salt: 0, stirred: 0 }),

  step(traits, state, moment, dt_s, random, out) {
    // Pipes lie in the ground: the water follows the air within about two days.
    state.temp += (moment.weather.temp - state.temp) * (1 - Math.exp(-dt_s / 172_800));
    state.acidity = wander(state.acidity, random, dt_s, { memory_s: 14_400, spread: 0.05 });
    state.dosing = wander(state.dosing, random, dt_s, { memory_s: 21_600, spread: 0.08 });
    state.salt = wander(state.salt, random, dt_s, { memory_s: 86_400, spread: 0.04 });
    if (happens(random, 1 / 120, dt_s)) state.stirred = between(random, 0.3, 2.5);
    state.stirred *= Math.exp(-dt_s / 1800);
    out[0] = traits.ph + state.acidity + 0.01 * normal(random);
    out[1] = Math.max(0.02, 0.15 + state.stirred + 0.02 * normal(random));
    out[2] = Math.max(
      0.02,
      traits.chlorine * (1 + state.dosing) * Math.exp(-0.02 * (state.temp - 20)) + 0.005 * normal(random),
    );
    out[3] = traits.conductivity * (1 + state.salt) + normal(random);
    out[4] = state.temp + 0.05 * normal(random);
  },
};
