import type { DeviceKind } from "../devices/device.ts";
import type { NamedRegisterMap } from "./register-map.ts";

/**
 * Devices that speak Modbus while they live, each laid out as a real one might be. Types and scales hold every value that the simulation says
 * exactly, at its field's number of decimals: floats with a scale hold whole numbers (mL/s, W), below 2^24.
 */
const maps: Partial<Record<DeviceKind, NamedRegisterMap>> = {
  "water-meter": {
    name: "acme-flow",
    map: {
      measurement: "water_flow",
      time: { register: 0, type: "u64" },
      row: { register: 4, type: "u32" },
      fields: {
        flow: { register: 10, type: "f32", scale: 0.001, unit: "L/s" },
        volume_total: { register: 12, type: "f64", unit: "m3" },
        reverse_total: { register: 16, type: "u32", scale: 0.001, unit: "m3" },
        pressure: { register: 18, type: "i16", scale: 0.1, unit: "kPa" },
      },
    },
  },
  "water-tank": {
    name: "acme-level",
    map: {
      measurement: "water_tank",
      time: { register: 0, type: "u64" },
      row: { register: 4, type: "u32" },
      fields: {
        level: { register: 10, type: "i16", scale: 0.001, unit: "m" },
        fill: { register: 11, type: "u16", scale: 0.0001, unit: "1" },
        inflow: { register: 12, type: "i32", order: "CDAB", scale: 0.01, unit: "L/s" },
        outflow: { register: 14, type: "i32", order: "CDAB", scale: 0.01, unit: "L/s" },
      },
    },
  },
  "energy-meter": {
    name: "volta-3p",
    map: {
      measurement: "energy_meter",
      time: { register: 100, type: "u64", order: "CDAB" },
      row: { register: 104, type: "u32", order: "CDAB" },
      fields: {
        power: { register: 106, type: "f32", order: "CDAB", scale: 0.001, unit: "kW" },
        import_total: { register: 108, type: "u64", order: "CDAB", scale: 0.001, unit: "kW.h" },
        export_total: { register: 112, type: "u64", order: "CDAB", scale: 0.001, unit: "kW.h" },
        voltage: { register: 116, type: "u32", order: "CDAB", scale: 0.1, unit: "V" },
        current: { register: 118, type: "u32", order: "CDAB", scale: 0.01, unit: "A" },
        pf: { register: 120, type: "i16", scale: 0.001, unit: "1" },
        frequency: { register: 121, type: "u16", scale: 0.001, unit: "Hz" },
      },
    },
  },
};

/** How a kind of device shows its values over Modbus; undefined for those that send lines. */
export function registerMapOf(kind: DeviceKind): NamedRegisterMap | undefined {
  return maps[kind];
}
