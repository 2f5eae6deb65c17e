import { panelTemp, plantIrradiance, type EnergyNetwork } from "../network/energy.ts";
import { between, noiseKey, normal } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly network: EnergyNetwork;
  readonly row: number;
  readonly peak: number; // kW
  readonly key: number;
}

/** A photovoltaic plant; `size` is its power at 1000 W/m2, kW. Its power is the mean since the last reading. */
export const solarPlant: DeviceModel<Traits, { energy_total: number }> = {
  measurement: "solar",
  fields: [
    { name: "power", decimals: 3 },
    { name: "energy_total", decimals: 3 },
    { name: "irradiance", decimals: 1 },
    { name: "panel_temp", decimals: 1 },
  ],

  traits: ({ id, size }, _random, { seed, energy }) => ({
    network: energy,
    row: energy.rowOf(id),
    peak: size,
    key: noiseKey(seed, id),
  }),

  initial: ({ network, row, peak }, random) => {
    const energy_total = Math.round(peak * 5 * between(random, 50, 900));
    network.giveBack(row, 0, energy_total);
    return { energy_total };
  },

  step({ network, row, key }, state, moment, dt_s, random, out) {
    const energy = network.exported(row);
    out[0] = ((energy - state.energy_total) * 3600) / dt_s;
    out[1] = energy;
    out[2] = plantIrradiance({ key }, moment);
    out[3] = panelTemp({ key }, moment) + 0.2 * normal(random);
    state.energy_total = energy;
  },

  keep: ({ network, row }) => network.keep(row),

  giveBack({ network, row }, saved) {
    network.giveBack(row, 0, saved["cell.exported"] ?? saved["energy_total"] ?? 0);
  },
};
