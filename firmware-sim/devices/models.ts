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

type Maker = (sensor: CitySensor, options: DeviceOptions) => Device;

/** Every kind of device that a city can have. */
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

/** The device behind a sensor, as it is at the start of the simulation. */
export function deviceOf(sensor: CitySensor, options: DeviceOptions): Device {
  return makers[sensor.kind](sensor, options);
}

function maker<Traits, State extends Record<keyof State, number>>(model: DeviceModel<Traits, State>): Maker {
  return (sensor, options) => makeDevice(model, sensor, options);
}
