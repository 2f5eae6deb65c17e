import { slowness, type Corridor } from "../network/roads.ts";
import { between, normal, poisson } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly corridor: Corridor;
  readonly free_s: number;
  readonly load: number;
  readonly matchesPerHour: number;
}

/**
 * A pair of readers that recognise passing vehicles at both ends of a corridor. `size` is the corridor's peak demand as a share of its
 * capacity.
 */
export const travelTimer: DeviceModel<Traits, Readonly<Record<string, number>>> = {
  measurement: "travel_time",
  fields: [
    { name: "seconds", decimals: 0 },
    { name: "samples", decimals: 0 },
  ],

  traits: ({ id, size, attributes }, random, { roads }) => {
    const corridor = roads.corridor(attributes.corridor ?? id);
    return {
      corridor,
      free_s: ((attributes.corridor_length_m ?? 8000) / 1000 / corridor.freeSpeed_km_h) * 3600,
      load: size,
      matchesPerHour: between(random, 150, 500),
    };
  },

  initial: () => ({}),

  step(traits, _state, moment, dt_s, random, out) {
    const { demand, blocked } = traits.corridor.at(moment);
    const samples = poisson(
      random,
      (traits.matchesPerHour * traits.load * demand * (1 - blocked) * dt_s) / 3600,
    );
    const seconds = traits.free_s * (slowness((traits.load * demand) / (1 - blocked)) + 1.2 * blocked);
    out[0] = samples === 0 ? Number.NaN : seconds * (1 + (0.06 * normal(random)) / Math.sqrt(samples));
    out[1] = samples;
  },
};
