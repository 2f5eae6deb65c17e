import type { Moment } from "../moment.ts";
import { shapeAt, waterShape } from "../week-shape.ts";
import { between, happens, normal, wander, type Random } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  /** Mean demand behind the meter, L/s. */
  readonly mean: number;
  /** Lost behind the meter at any hour, L/s. */
  readonly leak: number;
  /** How much of the daily shape is left: storage behind a source flattens it. */
  readonly swing: number;
  readonly head: number; // kPa
  readonly headLoss: number; // kPa at mean flow
  readonly mayReverse: boolean;
  readonly shift_h: number;
}

interface State {
  wobble: number;
  volume_total: number;
  reverse_total: number;
}

/**
 * A flow meter with pressure: at a source, at the inlet of a district meter area, or at a customer's block. `size` is the mean
 * demand behind it, L/s. An inlet also feeds its district's leaks: what flows between 2 and 4 in the morning.
 */
export const waterMeter: DeviceModel<Traits, State> = {
  measurement: "water_flow",
  fields: [
    { name: "flow", decimals: 3 },
    { name: "volume_total", decimals: 3 },
    { name: "reverse_total", decimals: 3 },
    { name: "pressure", decimals: 1 },
  ],

  traits: (sensor, random) => {
    const { role } = sensor.attributes;
    return {
      mean: sensor.size,
      leak: role === "dma_in" ? sensor.size * between(random, 0.08, 0.22) : 0,
      swing: role === "source" ? 0.15 : 1,
      head: between(random, 380, 560),
      headLoss: between(random, 25, 60),
      mayReverse: role === "customer",
      shift_h: between(random, -0.4, 0.4),
    };
  },

  initial: (traits, random) => ({
    wobble: 0,
    volume_total: Math.round(traits.mean * 86.4 * between(random, 200, 2000)),
    reverse_total: 0,
  }),

  step(traits, state, moment, dt_s, random, out) {
    state.wobble = wander(state.wobble, random, dt_s, { memory_s: 2400, spread: 0.07 });
    const reversed = traits.mayReverse && happens(random, 1 / 400, dt_s);
    const flow = reversed ? -0.05 * traits.mean : traits.leak + demand(traits, state, moment, random);
    if (reversed) state.reverse_total += (-flow * dt_s) / 1000;
    else state.volume_total += (flow * dt_s) / 1000;
    out[0] = flow;
    out[1] = state.volume_total;
    out[2] = state.reverse_total;
    out[3] = pressure(traits, flow, random);
  },
};

function demand(traits: Traits, state: State, moment: Moment, random: Random): number {
  const day = 1 + traits.swing * (shapeAt(waterShape, moment, traits.shift_h) - 1);
  const season = 1 + 0.012 * (moment.weather.temp - 26);
  return Math.max(0, traits.mean * day * season * (1 + state.wobble + 0.03 * normal(random)));
}

/** Head less friction, which grows with the square of the flow. */
function pressure(traits: Traits, flow: number, random: Random): number {
  const relative = Math.min(2.5, Math.abs(flow) / traits.mean);
  return traits.head - traits.headLoss * relative * relative + 3 * normal(random);
}
