import type { Moment } from "../moment.ts";
import { powerShape, shapeAt } from "../week-shape.ts";
import { between, normal, wander, type Random } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  /** Mean load without cooling, kW. */
  readonly base: number;
  /** Cooling load at 36 Cel, kW. */
  readonly cooling: number;
  /** Panels on the customer's own roof, kW at 1000 W/m2; most have none. */
  readonly roof: number;
  readonly nominal_v: number;
  readonly shift_h: number;
}

interface State {
  wobble: number;
  voltage: number;
  import_total: number;
  export_total: number;
}

/**
 * A three-phase meter at a customer or on a feeder. `size` is the mean load without cooling, kW; cooling follows the weather and is
 * what makes a Gulf summer. Power is negative while a roof feeds back.
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

  traits: (sensor, random) => {
    const customer = sensor.attributes.role !== "feeder";
    return {
      base: sensor.size,
      cooling: sensor.size * between(random, 1.5, 2.6),
      roof: customer && between(random, 0, 1) < 0.2 ? sensor.size * between(random, 0.8, 2) : 0,
      nominal_v: sensor.attributes.nominal_v ?? 240,
      shift_h: between(random, -0.5, 0.5),
    };
  },

  initial: (traits, random) => ({
    wobble: 0,
    voltage: 0,
    import_total: Math.round(traits.base * 24 * between(random, 200, 2500)),
    export_total: Math.round(traits.roof * 5 * between(random, 100, 900)),
  }),

  step(traits, state, moment, dt_s, random, out) {
    state.wobble = wander(state.wobble, random, dt_s, { memory_s: 1500, spread: 0.08 });
    state.voltage = wander(state.voltage, random, dt_s, { memory_s: 900, spread: 0.008 });
    const load = loadAt(traits, moment, random) * (1 + state.wobble);
    const power = load - (traits.roof * moment.weather.irradiance * 0.8) / 1000;
    if (power >= 0) state.import_total += (power * dt_s) / 3600;
    else state.export_total += (-power * dt_s) / 3600;

    const share = load / (traits.base + traits.cooling);
    const voltage = traits.nominal_v * (1.005 - 0.025 * share + state.voltage);
    const pf = Math.min(1, Math.max(0.75, 0.965 - 0.05 * share + 0.006 * normal(random)));
    out[0] = power;
    out[1] = state.import_total;
    out[2] = state.export_total;
    out[3] = voltage;
    out[4] = (Math.abs(power) * 1000) / (phases(traits.nominal_v) * voltage * pf);
    out[5] = pf;
    out[6] = moment.grid_hz + 0.001 * normal(random);
  },
};

function loadAt(traits: Traits, moment: Moment, random: Random): number {
  const heat = Math.max(0, moment.weather.temp - 20) / 16;
  const daily = shapeAt(powerShape, moment, traits.shift_h);
  return (traits.base * daily + traits.cooling * heat * (0.6 + 0.4 * daily)) * (1 + 0.03 * normal(random));
}

/** Current per line from power: low voltage is given phase to neutral, high voltage line to line. */
function phases(nominal_v: number): number {
  return nominal_v < 1000 ? 3 : Math.sqrt(3);
}
