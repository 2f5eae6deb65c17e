import { describe, expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { commodityNames } from "#telemetry/commodities.ts";
import { formatBirth, parseBirth } from "#telemetry/birth.ts";
import { SensorId } from "#telemetry/names.ts";
import { places } from "#telemetry/places.ts";
import { SensorAttributes } from "#telemetry/sensor.ts";
import { cityOf, type City } from "#firmware-sim/city.ts";
import type { CitySensor } from "#firmware-sim/devices/device.ts";
import { deviceOf } from "#firmware-sim/devices/models.ts";
import { makeWorld } from "#firmware-sim/world.ts";

const sensorsOf = (city: City) => city.gateways.flatMap((gateway) => gateway.sensors);

test("equal arguments make equal cities, another seed another one", () => {
  const city = cityOf({ seed: 7, sensors: 300, places });
  expect(cityOf({ seed: 7, sensors: 300, places })).toEqual(city);
  expect(cityOf({ seed: 8, sensors: 300, places })).not.toEqual(city);
});

test.each([3, 17, 300, 1000, 10_000])(
  "%i sensors have ids of their own and attributes that a birth may carry",
  (sensors) => {
    const all = sensorsOf(cityOf({ seed: 1, sensors, places }));
    expect(all).toHaveLength(sensors);
    expect(new Set(all.map(({ id }) => id)).size).toBe(sensors);
    const refused = all.filter(
      ({ id, attributes }) =>
        !SensorId.safeParse(id).success || !SensorAttributes.safeParse(attributes).success,
    );
    expect(refused).toEqual([]);
  },
);

test("the default city has one gateway for each agency, and its devices speak the catalogue's fields", () => {
  const city = cityOf({ seed: 1, sensors: 300, places });
  expect(city.gateways.map(({ name, agency }) => [name, agency])).toEqual(
    ["mobility", "water", "energy", "food", "environment"].map((agency) => [`gw-${agency}-1`, agency]),
  );
  const world = makeWorld(city);
  const spoken = new Set<string>();
  for (const sensor of sensorsOf(city)) {
    const device = deviceOf(sensor, { world });
    const measurement = builtinCatalogue.measurements[builtinCatalogue.indexOf(device.measurement)!]!;
    expect(device.fields.map(({ name }) => name)).toEqual(measurement.fields.map(({ name }) => name));
    spoken.add(device.measurement);
  }
  expect(spoken.size).toBe(11);
});

test.each(["traffic-detector", "water-meter", "energy-meter", "water-tank", "weather-station"])(
  "all municipalities have a %s",
  (kind) => {
    const there = new Set(
      sensorsOf(cityOf({ seed: 1, sensors: 300, places }))
        .filter((sensor) => sensor.kind === kind)
        .map(({ attributes }) => places.find(attributes.place)?.municipality),
    );
    expect(there.size).toBe(8);
  },
);

test("even a city of three has traffic, water and energy", () => {
  expect(sensorsOf(cityOf({ seed: 1, sensors: 3, places })).map(({ id }) => id)).toEqual([
    "tf-001",
    "wf-001",
    "em-001",
  ]);
});

test("customers' meters of a district meter area share its inlet's demand", () => {
  const meters = sensorsOf(cityOf({ seed: 3, sensors: 2000, places })).filter(
    ({ kind }) => kind === "water-meter",
  );
  const inlets = meters.filter(({ attributes }) => attributes.role === "dma_in");
  expect(inlets.length).toBeGreaterThan(20);
  for (const inlet of inlets) {
    const customers = meters.filter(
      ({ attributes }) => attributes.role === "customer" && attributes.dma === inlet.attributes.dma,
    );
    const share = customers.reduce((sum, { size }) => sum + size, 0) / inlet.size;
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(1.03);
  }
});

test("corridors join different places, under names of their own", () => {
  const timers = sensorsOf(cityOf({ seed: 1, sensors: 2000, places })).filter(
    ({ kind }) => kind === "travel-timer",
  );
  const corridors = timers.map(({ attributes }) => attributes.corridor);
  expect(new Set(corridors).size).toBe(corridors.length);
  expect(corridors).toContain("hamad-port-industrial-area");
});

test("no gateway's birth is larger than an MQTT packet may be", () => {
  const city = cityOf({ seed: 1, sensors: 10_000, places });
  expect(new Set(city.gateways.map(({ name }) => name)).size).toBe(city.gateways.length);
  for (const { sensors } of city.gateways) {
    const birth = formatBirth({
      agent: "0.1.0",
      sensors: sensors.map(({ id, attributes }) => ({ id, ...attributes })),
    });
    expect(birth.length).toBeLessThan(250 * 1024);
    expect(parseBirth(Buffer.from(birth), { maxSensors: 1000 })).toMatchObject({ ok: true, refused: [] });
  }
});

describe("every goal finds its sensors in the default city:", () => {
  const all = sensorsOf(cityOf({ seed: 1, sensors: 300, places }));
  const of = (kind: string): CitySensor[] => all.filter((sensor) => sensor.kind === kind);
  const timers = of("travel-timer").map(({ attributes }) => attributes);

  test("the port corridor, marked approaches to the hospital, and corridors at the venue, each with its length", () => {
    expect(
      timers.every(({ corridor, corridor_length_m }) => corridor !== undefined && corridor_length_m! > 0),
    ).toBe(true);
    expect(timers.map(({ corridor }) => corridor)).toContain("hamad-port-industrial-area");
    expect(timers.filter(({ corridor }) => corridor!.startsWith("emergency-")).length).toBeGreaterThan(2);
    expect(timers.filter(({ role }) => role === "venue").length).toBeGreaterThan(1);
  });

  test("each detector watches a lane of a corridor that is timed, and each air monitor stands at one", () => {
    const timed = new Set(timers.map(({ corridor }) => corridor));
    for (const { attributes } of of("traffic-detector")) {
      expect(attributes.lane).toMatch(/^[123]$/);
      expect(timed).toContain(attributes.corridor);
    }
    for (const { attributes } of of("air-monitor")) expect(timed).toContain(attributes.corridor);
  });

  test("water has sources, inlets, ways out to the next area, customers in each area, and tanks that say what they hold", () => {
    const meters = of("water-meter").map(({ attributes }) => attributes);
    const areas = (role: string): Set<string | undefined> =>
      new Set(meters.filter((meter) => meter.role === role).map(({ dma }) => dma));
    expect(meters.filter(({ role }) => role === "source").length).toBeGreaterThan(0);
    expect(areas("customer")).toEqual(areas("dma_in"));
    expect(areas("dma_out").size).toBeGreaterThan(0);
    expect([...areas("dma_in")]).toEqual(expect.arrayContaining([...areas("dma_out")]));
    expect(of("water-tank").every(({ attributes }) => attributes.capacity_m3! > 0)).toBe(true);
  });

  test("electricity has feeders with six customers each at one substation, and generators", () => {
    const meters = of("energy-meter").map(({ attributes }) => attributes);
    const feeders = meters.filter(({ role }) => role === "feeder");
    expect(feeders).toHaveLength(7);
    for (const { site } of feeders)
      expect(meters.filter((meter) => meter.role === "customer" && meter.site === site)).toHaveLength(6);
    const sites = new Set(meters.map(({ site }) => site));
    for (const { attributes } of of("solar-plant")) {
      expect(attributes.role).toBe("generator");
      expect(sites).toContain(attributes.site);
    }
  });

  test("cold stores say their limits, and every commodity has a stock", () => {
    expect(of("cold-store").every(({ attributes }) => attributes.limits?.["cold_storage.temp"])).toBe(true);
    expect(new Set(of("food-stock").map(({ attributes }) => attributes.commodity))).toEqual(
      new Set(commodityNames),
    );
  });
});
