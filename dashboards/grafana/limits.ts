import { catalogueField } from "./queries.ts";

type Bounds = readonly [low: number | null, high: number | null];

/**
 * Bounds of good operation that boards colour by, in the fields' units. They are for the eye: alerts judge each sensor by its own limits, which
 * stand in the registry.
 */
const bounds: Readonly<Record<string, Bounds>> = {
  // Gulf standard for drinking water (GSO 149) and WHO's guideline for turbidity at the tap.
  "water_quality.ph": [6.5, 8.5],
  "water_quality.turbidity": [null, 4],
  "water_quality.chlorine_free": [0.2, 1],
  // Below it the upper floors run dry; above it pipes burst.
  "water_flow.pressure": [150, 700],
  // A day of reserve.
  "water_tank.fill": [0.3, null],
  // Speeds fall from about this occupancy on.
  "traffic_flow.occupancy": [null, 0.35],
  "energy_meter.frequency": [49.8, 50.2],
  // 240 V less and plus 10 %, at customers.
  "energy_meter.voltage": [216, 264],
  "energy_meter.pf": [0.9, null],
  // WHO air quality guidelines 2021, 24 hours.
  "air_quality.pm2_5": [null, 15],
  "gateway_health.clock_skew": [-2, 2],
  "gateway_health.disk_free": [10, null],
};

/** @throws RangeError where nobody has said what is good. */
export function limitsOf(measurement: string, field: string): Bounds {
  catalogueField(measurement, field);
  const found = bounds[`${measurement}.${field}`];
  if (found === undefined) throw new RangeError(`no limits for ${measurement}.${field}`);
  return found;
}

/** Chilled food keeps below the first, frozen food below the second (degrees Celsius). */
export const coldest = { chilled: 8, frozen: -15 };
/** Commodities that are kept frozen, as `cold_storage` is tagged. */
export const frozen = ["fish", "sheep_goat_meat"];
