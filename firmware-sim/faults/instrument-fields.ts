import type { DeviceKind } from "../devices/device.ts";

/** A field that an instrument can say wrongly. */
export interface FaultyField {
  readonly name: string;
  readonly unit: string;
  /** By how much it jumps and slides, from lowest to highest; undefined: it does not. In units of the field. */
  readonly spike?: readonly [number, number];
  readonly drift?: readonly [number, number];
  /** Fields made from the same raw value: they follow in proportion. */
  readonly follows?: readonly string[];
}

/** One field a kind: the gauge that the rest of the reading does not contradict at once. Counters stay true. */
export const faultyFields: Readonly<Record<DeviceKind, FaultyField>> = {
  "traffic-detector": { name: "speed_avg", unit: "km/h", spike: [60, 110], drift: [15, 30] },
  "travel-timer": { name: "seconds", unit: "s", spike: [900, 3000] },
  "water-meter": { name: "pressure", unit: "kPa", spike: [250, 600], drift: [60, 140] },
  "water-tank": { name: "level", unit: "m", spike: [-3, -1.5], drift: [-1.5, -0.6], follows: ["fill"] },
  "water-quality": { name: "chlorine_free", unit: "mg/L", spike: [1.5, 4], drift: [0.4, 0.9] },
  "energy-meter": { name: "pf", unit: "1", spike: [-0.7, -0.4], drift: [-0.25, -0.12] },
  "solar-plant": { name: "panel_temp", unit: "Cel", spike: [35, 60], drift: [10, 20] },
  "cold-store": { name: "temp", unit: "Cel", spike: [12, 25], drift: [3, 6] },
  "food-stock": { name: "stock", unit: "t" },
  "weather-station": { name: "temp", unit: "Cel", spike: [15, 30], drift: [4, 8] },
  "air-monitor": { name: "pm2_5", unit: "ug/m3", spike: [300, 900], drift: [60, 120] },
};
