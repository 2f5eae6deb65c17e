import { shapeAt, waterShape } from "../week-shape.ts";
import { between, normal, wander } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly mean: number; // L/s
  readonly height: number; // m
  readonly area: number; // m2
  readonly tower: boolean;
  readonly shift_h: number;
}

/** Below this share of its height the outlet closes: the fire reserve. */
const reserve = 0.08;

/**
 * A tank between pumps and a network. `size` is the mean outflow, L/s. A tower (less than two days of water) is filled by pumps that
 * start low and stop high; a reservoir is kept near three quarters by a valve.
 */
export const waterTank: DeviceModel<Traits, { wobble: number; level: number; pumping: number }> = {
  measurement: "water_tank",
  fields: [
    { name: "level", decimals: 3 },
    { name: "fill", decimals: 4 },
    { name: "inflow", decimals: 2 },
    { name: "outflow", decimals: 2 },
  ],

  traits: (sensor, random) => {
    const capacity_m3 = sensor.attributes.capacity_m3 ?? sensor.size * 86.4;
    const height = between(random, 5.5, 9);
    return {
      mean: sensor.size,
      height,
      area: capacity_m3 / height,
      tower: capacity_m3 < sensor.size * 86.4 * 2,
      shift_h: between(random, -0.4, 0.4),
    };
  },

  initial: (traits, random) => ({ wobble: 0, level: traits.height * between(random, 0.6, 0.85), pumping: 0 }),

  step(traits, state, moment, dt_s, random, out) {
    state.wobble = wander(state.wobble, random, dt_s, { memory_s: 3600, spread: 0.06 });
    const fill = state.level / traits.height;
    if (fill < 0.45) state.pumping = 1;
    if (fill > 0.92) state.pumping = 0;

    const season = 1 + 0.012 * (moment.weather.temp - 26);
    const wanted = traits.mean * shapeAt(waterShape, moment, traits.shift_h) * season * (1 + state.wobble);
    const supplied = traits.tower
      ? state.pumping * 1.9 * traits.mean * (1 + 0.01 * normal(random))
      : traits.mean * season * (1 + 2.5 * (0.76 - fill));
    const metres = dt_s / 1000 / traits.area; // that one L/s moves the level by
    const outflow = Math.max(0, Math.min(wanted, (state.level - reserve * traits.height) / metres));
    const inflow = Math.max(0, Math.min(supplied, outflow + (traits.height - state.level) / metres));
    state.level = Math.min(traits.height, state.level + (inflow - outflow) * metres);
    out[0] = state.level;
    out[1] = state.level / traits.height;
    out[2] = inflow;
    out[3] = outflow;
  },
};
