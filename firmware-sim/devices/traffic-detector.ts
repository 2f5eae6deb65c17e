import type { Corridor } from "../network/roads.ts";
import { between, normal, poisson, wander } from "../random.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly corridor: Corridor;
  readonly load: number;
  readonly free_speed: number; // km/h
  readonly capacity: number; // vehicles an hour
}

/** Length of road that one vehicle covers for a loop: its own and the loop's, km. */
const footprint_km = 0.0065;

/**
 * One lane's loop on a corridor. Speed falls with the share of the lane's capacity in use (BPR, 1964) and more where a queue stands; occupancy
 * follows from flow and speed. `size` is the lane's peak demand as a share of its capacity.
 */
export const trafficDetector: DeviceModel<Traits, { wobble: number; queue: number }> = {
  measurement: "traffic_flow",
  fields: [
    { name: "vehicles", decimals: 0 },
    { name: "speed_avg", decimals: 1 },
    { name: "occupancy", decimals: 3 },
    { name: "headway_avg", decimals: 2 },
  ],

  traits: ({ id, size, attributes }, random, { roads }) => {
    const corridor = roads.corridor(attributes.corridor ?? id);
    return {
      corridor,
      load: size,
      // The outer lanes of one road are a little slower than the inner one.
      free_speed: corridor.freeSpeed_km_h * between(random, 0.92, 1.06),
      capacity: between(random, 1500, 1950),
    };
  },

  initial: () => ({ wobble: 0, queue: 0 }),

  step(traits, state, moment, dt_s, random, out) {
    const { demand, blocked } = traits.corridor.at(moment);
    state.wobble = wander(state.wobble, random, dt_s, { memory_s: 1200, spread: 0.05 });
    const whole = (traits.capacity * dt_s) / 3600;
    const most = whole * (1 - blocked);
    const arriving = Math.max(0, whole * traits.load * demand * (1 + state.wobble));
    const passing = Math.min(arriving + state.queue, most);
    const longestQueue = traits.capacity / 12;
    state.queue = Math.min(longestQueue, arriving + state.queue - passing);

    const vehicles = Math.min(poisson(random, passing), Math.ceil(whole * 1.3));
    const use = passing / most + state.queue / longestQueue;
    const crawl = 1 - 0.75 * blocked; // who passes the place where a lane is closed brakes, whatever the traffic
    const speed =
      ((traits.free_speed * crawl) / (1 + 0.2 * use ** 4)) *
      (1 + (0.05 * normal(random)) / Math.sqrt(vehicles + 1));
    const density = (vehicles * 3600) / dt_s / speed; // vehicles per km
    out[0] = vehicles;
    out[1] = vehicles === 0 ? Number.NaN : speed;
    out[2] = Math.min(0.95, density * footprint_km);
    out[3] = vehicles === 0 ? Number.NaN : dt_s / vehicles;
  },
};
