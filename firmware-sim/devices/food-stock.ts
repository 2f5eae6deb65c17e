import type { Commodity } from "#telemetry/commodities.ts";
import { curves } from "../day-curves.ts";
import { shapeAt, weekMean, workShape } from "../week-shape.ts";
import { between, happens, wander } from "../random.ts";
import type { DeviceModel } from "./device.ts";

/** Share of the intake that grows or is made in the country, and how many months a warehouse holds. */
const supply: Readonly<Record<Commodity, { local: number; months: number }>> = {
  vegetables: { local: 0.46, months: 2.4 },
  sheep_goat_meat: { local: 0.18, months: 3 },
  fish: { local: 0.65, months: 3 },
  dairy: { local: 0.99, months: 2.2 },
  fresh_chicken: { local: 0.97, months: 2.2 },
  table_eggs: { local: 0.52, months: 2.2 },
  wheat: { local: 0, months: 6.5 },
  rice: { local: 0, months: 7 },
  sugar: { local: 0, months: 6 },
  edible_oil: { local: 0.02, months: 5.5 },
};

/** All quantities in kg. */
interface Traits {
  readonly perSecond: number; // mean dispatch
  readonly wanted: number; // in stock
  readonly capacity: number;
  readonly local: number;
  readonly shipment: number;
}

/** In whole kg, so that what is said, in t with three decimals, adds up to the last digit; `…_rest` is what has not filled a kg yet. */
interface State {
  wobble: number;
  stock: number;
  intake_local_total: number;
  intake_import_total: number;
  transfer_in_total: number;
  dispatch_total: number;
  unloading: number;
  dispatch_rest: number;
  harvest_rest: number;
  unload_rest: number;
}

/** So that a week's dispatch is what the year's mean says. */
const meanWork = weekMean(curves.work);
const month_s = 30.44 * 86_400;

/**
 * A warehouse of one commodity; `size` is its mean dispatch, t a month. Local produce comes every working morning, imports by the
 * shipload when stock runs low, transfers from other warehouses now and then.
 */
export const foodStock: DeviceModel<Traits, State> = {
  measurement: "food_stock",
  fields: [
    { name: "stock", decimals: 3 },
    { name: "intake_local_total", decimals: 3 },
    { name: "intake_import_total", decimals: 3 },
    { name: "transfer_in_total", decimals: 3 },
    { name: "dispatch_total", decimals: 3 },
  ],

  traits: (sensor, random) => {
    const { local, months } = supply[sensor.attributes.commodity ?? "rice"];
    const perMonth = sensor.size * 1000;
    const wanted = Math.round(perMonth * months);
    return {
      perSecond: perMonth / month_s,
      wanted,
      capacity: Math.round(wanted * 1.6),
      local,
      shipment: Math.round(perMonth * between(random, 0.25, 0.5)),
    };
  },

  initial: (traits, random) => ({
    wobble: 0,
    stock: Math.round(traits.wanted * between(random, 0.9, 1.2)),
    intake_local_total: 0,
    intake_import_total: 0,
    transfer_in_total: 0,
    dispatch_total: 0,
    unloading: 0,
    dispatch_rest: 0,
    harvest_rest: 0,
    unload_rest: 0,
  }),

  /** Version 1 counted t. */
  upgrade: (saved) =>
    Object.fromEntries(
      Object.entries(saved).map(([name, value]) => [
        name,
        name === "wobble" ? value : Math.round(value * 1000),
      ]),
    ),

  step(traits, state, moment, dt_s, random, out) {
    state.wobble = wander(state.wobble, random, dt_s, { memory_s: 7200, spread: 0.15 });
    const work = shapeAt(workShape, moment, 0) / meanWork;
    const mean = traits.perSecond * dt_s;

    state.dispatch_rest += Math.max(0, mean * work * (1 + state.wobble));
    const dispatched = Math.min(state.stock, Math.floor(state.dispatch_rest));
    state.dispatch_rest -= Math.floor(state.dispatch_rest);
    let room = traits.capacity - state.stock + dispatched;

    state.harvest_rest +=
      mean * traits.local * work * Math.max(0, 1 + 0.2 * (traits.wanted / Math.max(1, state.stock) - 1));
    const harvest = Math.min(room, Math.floor(state.harvest_rest));
    state.harvest_rest -= Math.floor(state.harvest_rest);
    room -= harvest;

    if (state.unloading === 0 && state.stock < traits.wanted && traits.local < 1)
      state.unloading = traits.shipment;
    if (state.unloading > 0) state.unload_rest += (traits.shipment * dt_s) / (24 * 3600);
    const unloaded = Math.min(room, state.unloading, Math.floor(state.unload_rest));
    state.unload_rest -= Math.floor(state.unload_rest);
    room -= unloaded;
    state.unloading -= unloaded;
    const transferred = happens(random, 1 / 300, dt_s)
      ? Math.min(room, Math.round(traits.shipment * 0.02))
      : 0;

    state.stock += harvest + unloaded + transferred - dispatched;
    state.intake_local_total += harvest;
    state.intake_import_total += unloaded;
    state.transfer_in_total += transferred;
    state.dispatch_total += dispatched;
    out[0] = state.stock / 1000;
    out[1] = state.intake_local_total / 1000;
    out[2] = state.intake_import_total / 1000;
    out[3] = state.transfer_in_total / 1000;
    out[4] = state.dispatch_total / 1000;
  },
};
