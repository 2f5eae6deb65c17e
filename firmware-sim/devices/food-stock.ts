import type { Commodity } from "#telemetry/commodities.ts";
import { shapeAt, workShape } from "../week-shape.ts";
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

interface Traits {
  readonly perSecond: number; // t, mean dispatch
  readonly wanted: number; // t in stock
  readonly capacity: number; // t
  readonly local: number;
  readonly shipment: number; // t
}

interface State {
  wobble: number;
  stock: number;
  intake_local_total: number;
  intake_import_total: number;
  transfer_in_total: number;
  dispatch_total: number;
  unloading: number;
}

/** So that a week's dispatch is what the year's mean says. */
const meanWork = workShape.reduce((sum, share) => sum + share, 0) / workShape.length;
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
    const wanted = sensor.size * months;
    return {
      perSecond: sensor.size / month_s,
      wanted,
      capacity: wanted * 1.6,
      local,
      shipment: sensor.size * between(random, 0.25, 0.5),
    };
  },

  initial: (traits, random) => ({
    wobble: 0,
    stock: traits.wanted * between(random, 0.9, 1.2),
    intake_local_total: 0,
    intake_import_total: 0,
    transfer_in_total: 0,
    dispatch_total: 0,
    unloading: 0,
  }),

  step(traits, state, moment, dt_s, random, out) {
    state.wobble = wander(state.wobble, random, dt_s, { memory_s: 7200, spread: 0.15 });
    const work = shapeAt(workShape, moment, 0) / meanWork;
    const mean = traits.perSecond * dt_s;
    const dispatched = Math.min(state.stock, Math.max(0, mean * work * (1 + state.wobble)));
    let room = traits.capacity - state.stock + dispatched;

    const harvest = Math.min(
      room,
      mean * traits.local * work * (1 + 0.2 * (traits.wanted / Math.max(1, state.stock) - 1)),
    );
    room -= harvest;
    if (state.unloading === 0 && state.stock < traits.wanted && traits.local < 1)
      state.unloading = traits.shipment;
    const unloaded = Math.min(room, state.unloading, (traits.shipment * dt_s) / (24 * 3600));
    room -= unloaded;
    state.unloading -= unloaded;
    const transferred = happens(random, 1 / 300, dt_s) ? Math.min(room, traits.shipment * 0.02) : 0;

    state.stock += harvest + unloaded + transferred - dispatched;
    state.intake_local_total += harvest;
    state.intake_import_total += unloaded;
    state.transfer_in_total += transferred;
    state.dispatch_total += dispatched;
    out[0] = state.stock;
    out[1] = state.intake_local_total;
    out[2] = state.intake_import_total;
    out[3] = state.transfer_in_total;
    out[4] = state.dispatch_total;
  },
};
