import type { WaterNetwork } from "../network/water.ts";
import { between, normal, type Random } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly network: WaterNetwork;
  readonly row: number;
  /** Mean demand behind the meter, L/s. */
  readonly mean: number;
  readonly head: number; // kPa, where it is not the area's
  readonly headLoss: number; // kPa at mean flow
}

interface State {
  volume_total: number;
  reverse_total: number;
}

/**
 * A flow meter with pressure: at a source, at the inlet of a district meter area or the way out of it, or at a customer's block. `size` is the
 * mean demand behind it, L/s. Its flow is the mean since its last reading: what its totals gained, over the time.
 */
export const waterMeter: DeviceModel<Traits, State> = {
  measurement: "water_flow",
  fields: [
    { name: "flow", decimals: 3 },
    { name: "volume_total", decimals: 3 },
    { name: "reverse_total", decimals: 3 },
    { name: "pressure", decimals: 1 },
  ],

  traits: (sensor, random, { water }) => ({
    network: water,
    row: water.rowOf(sensor.id),
    mean: sensor.size,
    head: between(random, 520, 640),
    headLoss: sensor.attributes.role === "customer" ? between(random, 8, 20) : between(random, 15, 30),
  }),

  initial: ({ network, row, mean }, random) => {
    const volume_total = Math.round(mean * 86.4 * between(random, 200, 2000));
    network.giveBack(row, volume_total, 0);
    return { volume_total, reverse_total: 0 };
  },

  step(traits, state, _moment, dt_s, random, out) {
    const { network, row } = traits;
    const volume = network.volume(row);
    const reverse = network.reverse(row);
    const flow = ((volume - state.volume_total - (reverse - state.reverse_total)) * 1000) / dt_s;
    state.volume_total = volume;
    state.reverse_total = reverse;
    out[0] = flow;
    out[1] = volume;
    out[2] = reverse;
    out[3] = pressure(traits, flow, random);
  },

  keep: ({ network, row }) => network.keep(row),

  giveBack({ network, row }, saved) {
    const { volume_total, reverse_total } = saved;
    network.giveBack(
      row,
      saved["cell.volume"] ?? volume_total ?? 0,
      saved["cell.reverse"] ?? reverse_total ?? 0,
    );
  },
};

/** The mains' pressure, less the friction of the meter's own pipe, which grows with the square of the flow. */
function pressure({ network, row, mean, head, headLoss }: Traits, flow: number, random: Random): number {
  const relative = Math.min(2.5, Math.abs(flow) / mean);
  return (network.areaPressure(row) ?? head) - headLoss * relative * relative + 2 * normal(random);
}
