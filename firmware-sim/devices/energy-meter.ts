import type { EnergyNetwork } from "../network/energy.ts";
import { between, normal, wander } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly network: EnergyNetwork;
  readonly row: number;
  readonly nominal_v: number;
}

interface State {
  voltage: number;
  import_total: number;
  export_total: number;
}

/**
 * A three-phase meter at a customer or on a feeder. `size` is a customer's mean load without cooling, kW; cooling follows the weather and is
 * what makes a Gulf summer. Power is the mean since the last reading, negative while panels feed back.
 */
export const energyMeter: DeviceModel<Traits, State> = {
  measurement: "energy_meter",
  fields: [
    { name: "power", decimals: 3 },
    { name: "import_total", decimals: 3 },
    { name: "export_total", decimals: 3 },
    { name: "voltage", decimals: 1 },
    { name: "current", decimals: 2 },
    { name: "pf", decimals: 3 },
    { name: "frequency", decimals: 3 },
  ],

  traits: ({ id, attributes }, _random, { energy }) => ({
    network: energy,
    row: energy.rowOf(id),
    nominal_v: attributes.nominal_v ?? 240,
  }),

  initial: ({ network, row }, random) => {
    const import_total = Math.round(network.most(row) * 9 * between(random, 200, 2500));
    const export_total = 0;
    network.giveBack(row, import_total, export_total);
    return { voltage: 0, import_total, export_total };
  },

  step({ network, row, nominal_v }, state, moment, dt_s, random, out) {
    state.voltage = wander(state.voltage, random, dt_s, { memory_s: 900, spread: 0.008 });
    const imported = network.imported(row);
    const exported = network.exported(row);
    const power = ((imported - state.import_total - (exported - state.export_total)) * 3600) / dt_s;
    state.import_total = imported;
    state.export_total = exported;

    const dark = network.isDark(row);
    const share = network.loadShare(row);
    const voltage = dark ? 0 : nominal_v * (1.005 - 0.025 * share + state.voltage);
    const pf = Math.min(1, Math.max(0.75, 0.965 - 0.05 * share + 0.006 * normal(random)));
    const ripple = 0.001 * normal(random);
    out[0] = power;
    out[1] = imported;
    out[2] = exported;
    out[3] = voltage;
    out[4] = dark ? 0 : (Math.abs(power) * 1000) / (phases(nominal_v) * voltage * pf);
    out[5] = dark ? Number.NaN : pf;
    out[6] = dark ? Number.NaN : moment.grid_hz + ripple;
  },

  keep: ({ network, row }) => network.keep(row),

  giveBack({ network, row }, saved) {
    const { import_total, export_total } = saved;
    network.giveBack(
      row,
      saved["cell.imported"] ?? import_total ?? 0,
      saved["cell.exported"] ?? export_total ?? 0,
    );
  },
};

/** Current per line from power: low voltage is given phase to neutral, high voltage line to line. */
function phases(nominal_v: number): number {
  return nominal_v < 1000 ? 3 : Math.sqrt(3);
}
