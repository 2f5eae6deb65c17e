import { shapeAt, trafficShape } from "../week-shape.ts";
import { between, normal, poisson, wander } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly free_speed: number; // km/h
  readonly capacity: number; // vehicles an hour
  readonly shift_h: number;
}

/** Length of road that one vehicle covers for a loop: its own and the loop's, km. */
const footprint_km = 0.0065;

/**
 * One lane's loop. Speed falls with the share of the lane's capacity in use (BPR, 1964) and more where a queue stands;
 * occupancy follows from flow and speed. `size` is the peak demand as a share of capacity.
 */
export const trafficDetector: DeviceModel<Traits & { load: number }, { wobble: number; queue: number }> = {
  measurement: "traffic_flow",
  fields: [
    { name: "vehicles", decimals: 0 },
    { name: "speed_avg", decimals: 1 },
    { name: "occupancy", decimals: 3 },
    { name: "headway_avg", decimals: 2 },
  ],

  traits: (sensor, random) => ({
    load: sensor.size,
    free_speed: between(random, 58, 112),
    capacity: between(random, 1500, 1950),
    shift_h: between(random, -0.35, 0.35),
  }),

  initial: () => ({ wobble: 0, queue: 0 }),

  step(traits, state, moment, dt_s, random, out) {
    state.wobble = wander(state.wobble, random, dt_s, { memory_s: 1200, spread: 0.07 });
    const most = (traits.capacity * dt_s) / 3600;
    const arriving = Math.max(
      0,
      most * traits.load * shapeAt(trafficShape, moment, traits.shift_h) * (1 + state.wobble),
    );
    const passing = Math.min(arriving + state.queue, most);
    const longestQueue = traits.capacity / 12;
    state.queue = Math.min(longestQueue, arriving + state.queue - passing);

    const vehicles = Math.min(poisson(random, passing), Math.ceil(most * 1.3));
    const use = passing / most + state.queue / longestQueue;
    const speed =
      (traits.free_speed / (1 + 0.15 * use ** 4)) * (1 + (0.05 * normal(random)) / Math.sqrt(vehicles + 1));
    const density = (vehicles * 3600) / dt_s / speed; // vehicles per km
    out[0] = vehicles;
    out[1] = vehicles === 0 ? Number.NaN : speed;
    out[2] = Math.min(0.95, density * footprint_km);
    out[3] = vehicles === 0 ? Number.NaN : dt_s / vehicles;
  },
};
