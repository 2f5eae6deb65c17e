import type { City } from "../city.ts";
import type { CitySensor } from "../devices/device.ts";
import { fieldNamesOf, measurementOf } from "../devices/models.ts";
import type { Supply } from "../network/supply.ts";
import { between, type Random } from "../random.ts";
import type { Fault, FaultEffect, FaultKind } from "./fault.ts";
import { faultyFields } from "./instrument-fields.ts";

/** What one fault would be, apart from its time of day. */
export interface Candidate extends Pick<Fault, "target" | "magnitude" | "unit" | "effects" | "through"> {
  readonly duration_min: number;
}

/** Draws something of one kind that can happen in this city; undefined: there is nothing it could strike. */
export type Drawer = (random: Random) => Candidate | undefined;

export function drawersOf(city: City, supply: Supply): Record<FaultKind, Drawer> {
  const sensors = city.gateways.flatMap((gateway) => gateway.sensors);
  const instruments = sensors.filter(({ attributes }) => attributes.role !== "gateway");
  const spiking = instruments.filter(({ kind }) => faultyFields[kind].spike !== undefined);
  const drifting = instruments.filter(({ kind }) => faultyFields[kind].drift !== undefined);
  const stores = sensors.filter(({ kind }) => kind === "cold-store");
  const areas = areasOf(sensors);
  const corridors = corridorsOf(sensors);
  const swaps = swapsOf(city);

  return {
    leak: among(areas, (random, { name, demand, effects }) => ({
      target: name,
      magnitude: round(demand * between(random, 0.3, 0.9), 2),
      unit: "L/s",
      duration_min: Math.round(between(random, 6 * 60, 40 * 60)),
      effects,
    })),
    congestion: among(corridors, (random, { name, effects }) => ({
      target: name,
      magnitude: round(between(random, 0.45, 0.8), 2),
      unit: "1",
      duration_min: Math.round(between(random, 45, 150)),
      effects,
    })),
    "cold-chain-break": among(stores, (random, { id }) => ({
      target: id,
      magnitude: 1,
      unit: "1",
      duration_min: Math.round(between(random, 180, 480)),
      effects: [{ measurement: "cold_storage", sensors: [id], fields: ["temp", "compressor_on"] }],
    })),
    "power-cut": among(supply.sites, (random, site) => ({
      target: site,
      magnitude: 1,
      unit: "1",
      duration_min: Math.round(between(random, 15, 150)),
      effects: supply.effectsOf(site),
    })),
    stuck: among(instruments, (random, sensor) => ({
      target: sensor.id,
      magnitude: 0,
      unit: faultyFields[sensor.kind].unit,
      duration_min: Math.round(between(random, 90, 20 * 60)),
      effects: [effectOn(sensor)],
    })),
    spike: among(spiking, (random, sensor) => ({
      target: sensor.id,
      magnitude: amount(random, faultyFields[sensor.kind].spike!),
      unit: faultyFields[sensor.kind].unit,
      duration_min: Math.round(between(random, 0.5, 3.49)),
      effects: [effectOn(sensor)],
    })),
    drift: among(drifting, (random, sensor) => ({
      target: sensor.id,
      magnitude: amount(random, faultyFields[sensor.kind].drift!),
      unit: faultyFields[sensor.kind].unit,
      duration_min: Math.round(between(random, 12 * 60, 44 * 60)),
      effects: [effectOn(sensor)],
    })),
    "drop-out": among(instruments, (random, sensor) => ({
      target: sensor.id,
      magnitude: 1,
      unit: "1",
      duration_min: Math.round(between(random, 15, 8 * 60)),
      effects: [wholeOf(sensor)],
    })),
    "clock-skew": among(instruments, (random, sensor) => ({
      target: sensor.id,
      magnitude: skew_s(random),
      unit: "s",
      duration_min: Math.round(between(random, 60, 12 * 60)),
      effects: [wholeOf(sensor)],
    })),
    "gateway-reboot": among(city.gateways, (random, gateway) => ({
      target: gateway.name,
      magnitude: 1,
      unit: "1",
      duration_min: Math.round(between(random, 2, 6)),
      effects: wholesOf(gateway.sensors),
    })),
    "gateway-swap": among(swaps, (random, { name, sensors: own, others }) => ({
      target: name,
      magnitude: 1,
      unit: "1",
      duration_min: Math.round(between(random, 6 * 60, 30 * 60)),
      effects: wholesOf(own),
      through: others[Math.floor(between(random, 0, others.length))]!,
    })),
  };
}

function among<T>(all: readonly T[], make: (random: Random, one: T) => Candidate): Drawer {
  return (random) => {
    const one = all[Math.floor(between(random, 0, all.length))];
    return one === undefined ? undefined : make(random, one);
  };
}

/** Areas with an inlet: a leak shows there, in what feeds it, and in everyone's pressure. */
function areasOf(sensors: readonly CitySensor[]): { name: string; demand: number; effects: FaultEffect[] }[] {
  const meters = sensors.filter(({ kind }) => kind === "water-meter");
  const inletOf = (dma: string | undefined): CitySensor | undefined =>
    meters.find(({ attributes }) => attributes.role === "dma_in" && attributes.dma === dma);
  return meters
    .filter(({ attributes }) => attributes.role === "dma_in")
    .map((inlet) => {
      const name = inlet.attributes.dma!;
      const passing = meters.find(({ leadsTo }) => leadsTo === name);
      const through = passing?.attributes.dma;
      const above = passing === undefined ? [] : [passing.id, inletOf(through)!.id];
      const near = meters.filter(
        ({ id, attributes: { dma, role } }) =>
          dma !== undefined && (dma === name || dma === through) && role !== "dma_in" && !above.includes(id),
      );
      const flows = {
        measurement: "water_flow",
        sensors: [inlet.id, ...above],
        fields: ["flow", "pressure"],
      };
      const pressures = {
        measurement: "water_flow",
        sensors: near.map(({ id }) => id),
        fields: ["pressure"],
      };
      return { name, demand: inlet.size, effects: near.length > 0 ? [flows, pressures] : [flows] };
    });
}

/** Only where somebody would see it. */
function corridorsOf(sensors: readonly CitySensor[]): { name: string; effects: FaultEffect[] }[] {
  const on = (kind: string, name: string): string[] =>
    sensors
      .filter((sensor) => sensor.kind === kind && sensor.attributes.corridor === name)
      .map(({ id }) => id);
  const names = new Set(
    sensors
      .filter(({ kind }) => kind === "travel-timer" || kind === "traffic-detector")
      .flatMap(({ attributes }) => attributes.corridor ?? []),
  );
  return [...names].map((name) => ({
    name,
    effects: [
      { measurement: "travel_time", sensors: on("travel-timer", name), fields: ["seconds"] },
      {
        measurement: "traffic_flow",
        sensors: on("traffic-detector", name),
        fields: ["speed_avg", "vehicles", "occupancy"],
      },
    ].filter((effect) => effect.sensors.length > 0),
  }));
}

/** Gateways whose agency has another one. */
function swapsOf({ gateways }: City): { name: string; sensors: readonly CitySensor[]; others: string[] }[] {
  return gateways
    .map(({ name, agency, sensors }) => ({
      name,
      sensors,
      others: gateways
        .filter((other) => other.agency === agency && other.name !== name)
        .map((other) => other.name),
    }))
    .filter(({ others }) => others.length > 0);
}

function effectOn({ id, kind }: CitySensor): FaultEffect {
  const { name, follows = [] } = faultyFields[kind];
  return { measurement: measurementOf(kind), sensors: [id], fields: [name, ...follows] };
}

function wholeOf({ id, kind }: CitySensor): FaultEffect {
  return { measurement: measurementOf(kind), sensors: [id], fields: fieldNamesOf(kind) };
}

function wholesOf(sensors: readonly CitySensor[]): FaultEffect[] {
  return [...Map.groupBy(sensors, ({ kind }) => kind)].map(([kind, own]) => ({
    measurement: measurementOf(kind),
    sensors: own.map(({ id }) => id),
    fields: fieldNamesOf(kind),
  }));
}

function amount(random: Random, [low, high]: readonly [number, number]): number {
  return round(between(random, low, high), 2);
}

/**
 * Behind by up to a quarter of an hour or ahead by up to four minutes, since the platform refuses what is five minutes ahead; and never by
 * whole seconds, so that no reading falls on the instant of another.
 */
function skew_s(random: Random): number {
  const whole = between(random, 0, 1) < 0.7 ? between(random, -900, -45) : between(random, 30, 235);
  return Math.floor(whole) + 0.137 + Math.floor(between(random, 0, 700)) / 1000;
}

function round(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
