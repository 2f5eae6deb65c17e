import { shapeAt, trafficShape } from "../week-shape.ts";
import { between, happens, normal, poisson, wander } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly free_s: number;
  readonly load: number;
  readonly matchesPerHour: number;
  readonly shift_h: number;
}

/**
 * A pair of readers that recognise passing vehicles at both ends of a corridor. `size` is the peak demand as a share of
 * capacity. About once in three weeks an accident doubles the time and clears within the hour.
 */
export const travelTimer: DeviceModel<Traits, { wobble: number; blockage: number }> = {
  measurement: "travel_time",
  fields: [
    { name: "seconds", decimals: 0 },
    { name: "samples", decimals: 0 },
  ],

  traits: (sensor, random) => {
    const free_km_h = between(random, 65, 95);
    return {
      free_s: ((sensor.attributes.corridor_length_m ?? 8000) / 1000 / free_km_h) * 3600,
      load: sensor.size,
      matchesPerHour: between(random, 150, 500),
      shift_h: between(random, -0.3, 0.3),
    };
  },

  initial: () => ({ wobble: 0, blockage: 0 }),

  step(traits, state, moment, dt_s, random, out) {
    state.wobble = wander(state.wobble, random, dt_s, { memory_s: 1500, spread: 0.06 });
    if (happens(random, 1 / (21 * 24), dt_s)) state.blockage = between(random, 0.6, 1.4);
    state.blockage *= Math.exp(-dt_s / 1500);
    const demand = Math.max(
      0,
      traits.load * shapeAt(trafficShape, moment, traits.shift_h) * (1 + state.wobble),
    );
    const samples = poisson(random, (traits.matchesPerHour * demand * dt_s) / 3600);
    const seconds = traits.free_s * (1 + 0.45 * demand ** 4 + state.blockage);
    out[0] = samples === 0 ? Number.NaN : seconds * (1 + (0.06 * normal(random)) / Math.sqrt(samples));
    out[1] = samples;
  },
};
