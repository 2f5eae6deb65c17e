import type { KeptTank, Tanks } from "../network/water-tanks.ts";
import { between } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly tanks: Tanks;
  readonly row: number;
}

interface State {
  level: number;
  /** What had run in and out at the last reading, L. */
  inflow: number;
  outflow: number;
}

/**
 * A tank between sources and areas. `size` is the mean outflow, L/s. Level and fill are of the moment; in- and outflow are means since the last
 * reading, so that they say by how much the level has changed.
 */
export const waterTank: DeviceModel<Traits, State> = {
  measurement: "water_tank",
  fields: [
    { name: "level", decimals: 3 },
    { name: "fill", decimals: 4 },
    { name: "inflow", decimals: 2 },
    { name: "outflow", decimals: 2 },
  ],

  traits: (sensor, _random, { water: { tanks } }) => ({ tanks, row: tanks.rowOf(sensor.id) }),

  initial: ({ tanks, row }, random) => {
    const level = tanks.height(row) * between(random, 0.6, 0.85);
    tanks.setLevel(row, level);
    return { level, inflow: 0, outflow: 0 };
  },

  step({ tanks, row }, state, _moment, dt_s, _random, out) {
    const inflow = tanks.inflow(row);
    const outflow = tanks.outflow(row);
    state.level = tanks.level(row);
    out[0] = state.level;
    out[1] = state.level / tanks.height(row);
    out[2] = (inflow - state.inflow) / dt_s;
    out[3] = (outflow - state.outflow) / dt_s;
    state.inflow = inflow;
    state.outflow = outflow;
  },

  keep: ({ tanks, row }) => tanks.keep(row),

  giveBack({ tanks, row }, saved) {
    if (saved["cell.level"] !== undefined) tanks.giveBack(row, saved as KeptTank);
    else tanks.setLevel(row, Math.min(tanks.height(row) * 0.95, saved["level"] ?? tanks.height(row) * 0.7));
  },
};
