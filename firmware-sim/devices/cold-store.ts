import { shapeAt, workShape } from "../week-shape.ts";
import { between, happens, normal } from "../random.ts";
import type { World } from "../world.ts";
import type { DeviceModel } from "./device.ts";

interface Traits {
  readonly id: string;
  readonly world: World;
  readonly setpoint: number; // Cel
  readonly band: number; // K above and below
  readonly openingsPerHour: number;
  readonly defrostEvery_s: number;
}

interface State {
  temp: number;
  humidity: number;
  compressor_on: number;
  door_left_s: number;
  defrost_in_s: number;
  defrost_left_s: number;
}

const ambient = 24; // Cel, in the loading hall
const defrost_s = 1200;

/** Seconds in which a store forgets what it was: closed, open to the hall, and cooled. */
const memory_s = { closed: 36_000, open: 7200, cooled: 4200 } as const;

/**
 * A cold room: warms towards the hall, faster while the door is open, and is cooled by a compressor between two limits; three times a day
 * it defrosts. A failed compressor or a dark substation lets it warm. `size` is its set point, Cel.
 */
export const coldStore: DeviceModel<Traits, State> = {
  measurement: "cold_storage",
  fields: [
    { name: "temp", decimals: 2 },
    { name: "humidity", decimals: 1 },
    { name: "door_open", decimals: 0 },
    { name: "compressor_on", decimals: 0 },
  ],

  traits: (sensor, random, world) => ({
    id: sensor.id,
    world,
    setpoint: sensor.size,
    band: between(random, 0.7, 1.1),
    openingsPerHour: between(random, 3, 8),
    defrostEvery_s: 8 * 3600 + between(random, -1800, 1800),
  }),

  initial: (traits, random) => ({
    temp: traits.setpoint + between(random, -traits.band, traits.band),
    humidity: 80,
    compressor_on: 0,
    door_left_s: 0,
    defrost_in_s: between(random, 0, traits.defrostEvery_s),
    defrost_left_s: 0,
  }),

  step(traits, state, moment, dt_s, random, out) {
    const doorWasOpen = state.door_left_s > 0;
    state.door_left_s = Math.max(0, state.door_left_s - dt_s);
    if (happens(random, traits.openingsPerHour * shapeAt(workShape, moment, 0), dt_s))
      state.door_left_s = between(random, 45, 210);
    const open = doorWasOpen || state.door_left_s > 0;

    state.defrost_left_s = Math.max(0, state.defrost_left_s - dt_s);
    state.defrost_in_s -= dt_s;
    if (state.defrost_in_s <= 0) {
      state.defrost_in_s += traits.defrostEvery_s;
      state.defrost_left_s = defrost_s;
    }
    const warming = traits.world.isWarming(traits.id, moment.time);
    if (warming || state.defrost_left_s > 0 || state.temp < traits.setpoint - traits.band)
      state.compressor_on = 0;
    else if (state.temp > traits.setpoint + traits.band) state.compressor_on = 1;

    const warmed = towards(ambient, state.temp, dt_s, open ? memory_s.open : memory_s.closed);
    state.temp =
      state.compressor_on === 1 ? towards(traits.setpoint - 14, warmed, dt_s, memory_s.cooled) : warmed;
    state.humidity = towards(open ? 92 : 80 - 6 * state.compressor_on, state.humidity, dt_s, 900);
    out[0] = state.temp + 0.05 * normal(random);
    out[1] = Math.min(99, state.humidity + 0.6 * normal(random));
    out[2] = state.door_left_s > 0 ? 1 : 0;
    out[3] = state.compressor_on;
  },
};

/** Newton's law of cooling over `dt_s`. */
function towards(goal: number, value: number, dt_s: number, memory: number): number {
  return goal + (value - goal) * Math.exp(-dt_s / memory);
}
