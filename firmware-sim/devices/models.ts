import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Range } from "#telemetry/catalogue.ts";
import { Instrument } from "../faults/instrument.ts";
import { airMonitor } from "./air-monitor.ts";
import { coldStore } from "./cold-store.ts";
import {
  makeDevice,
  type CitySensor,
  type Device,
  type DeviceKind,
  type DeviceModel,
  type DeviceOptions,
} from "./device.ts";
import { energyMeter } from "./energy-meter.ts";
import { foodStock } from "./food-stock.ts";
import { solarPlant } from "./solar-plant.ts";
import { trafficDetector } from "./traffic-detector.ts";
import { travelTimer } from "./travel-timer.ts";
import { waterMeter } from "./water-meter.ts";
import { waterQuality } from "./water-quality.ts";
import { waterTank } from "./water-tank.ts";
import { weatherStation } from "./weather-station.ts";

/** Every kind of device that a city can have. */
const models = {
  "traffic-detector": trafficDetector,
  "travel-timer": travelTimer,
  "water-meter": waterMeter,
  "water-tank": waterTank,
  "water-quality": waterQuality,
  "energy-meter": energyMeter,
  "solar-plant": solarPlant,
  "cold-store": coldStore,
  "food-stock": foodStock,
  "weather-station": weatherStation,
  "air-monitor": airMonitor,
} as const;

type Maker = (sensor: CitySensor, options: DeviceOptions) => Device;

const makers: Record<DeviceKind, Maker> = {
  "traffic-detector": maker(trafficDetector),
  "travel-timer": maker(travelTimer),
  "water-meter": maker(waterMeter),
  "water-tank": maker(waterTank),
  "water-quality": maker(waterQuality),
  "energy-meter": maker(energyMeter),
  "solar-plant": maker(solarPlant),
  "cold-store": maker(coldStore),
  "food-stock": maker(foodStock),
  "weather-station": maker(weatherStation),
  "air-monitor": maker(airMonitor),
};

/** The device behind a sensor, as it is at the start of the simulation, with the instrument that speaks for it. */
export function deviceOf(sensor: CitySensor, options: DeviceOptions): Device {
  const device = makers[sensor.kind](sensor, options);
  const { plan } = options.world;
  return plan === undefined ? device : new Instrument(device, plan, physicalRanges(device.measurement));
}

function physicalRanges(measurement: string): Range[] {
  return builtinCatalogue.measurements[builtinCatalogue.indexOf(measurement)!]!.fields.map(
    ({ physical }) => physical,
  );
}

export function measurementOf(kind: DeviceKind): string {
  return models[kind].measurement;
}

export function fieldNamesOf(kind: DeviceKind): string[] {
  return models[kind].fields.map(({ name }) => name);
}

function maker<Traits, State extends Record<keyof State, number>>(model: DeviceModel<Traits, State>): Maker {
  return (sensor, options) => makeDevice(model, sensor, options);
}
