import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { extendCatalogue, makeCatalogue, Measurement, mergeCatalogue } from "#telemetry/catalogue.ts";
import { plausibleRange } from "#telemetry/sensor.ts";

const [trafficFlow] = builtinCatalogue.measurements as [Measurement, ...Measurement[]];

describe("the built-in catalogue", () => {
  test.each(builtinCatalogue.measurements)("$name keeps the rules of the schema", (measurement) => {
    expect(Measurement.parse(measurement)).toStrictEqual(measurement);
  });

  test("has the measurements and fields of the data model", () => {
    const fields = Object.fromEntries(
      builtinCatalogue.measurements.map((measurement) => [
        measurement.name,
        measurement.fields.map(({ name }) => name).join(" "),
      ]),
    );
    expect(fields).toStrictEqual({
      traffic_flow: "vehicles speed_avg occupancy headway_avg",
      travel_time: "seconds samples",
      water_flow: "flow volume_total reverse_total pressure",
      water_tank: "level fill inflow outflow",
      water_quality: "ph turbidity chlorine_free conductivity temp",
      energy_meter: "power import_total export_total voltage current pf frequency",
      solar: "power energy_total irradiance panel_temp",
      cold_storage: "temp humidity door_open compressor_on",
      food_stock: "stock intake_local_total intake_import_total transfer_in_total dispatch_total",
      weather: "temp humidity wind_speed irradiance",
      air_quality: "pm2_5 pm10 no2",
      gateway_health: "backlog resent clock_skew disk_free temp silent_devices",
    });
  });

  test("names everything in Arabic too", () => {
    const titles = builtinCatalogue.measurements.flatMap(({ title, fields }) => [
      title,
      ...fields.map((field) => field.title),
    ]);
    for (const { ar } of titles) expect(ar).toMatch(/\p{Script=Arabic}/u);
  });

  test("finds a measurement by its name, and nothing by a name of Object's", () => {
    expect(builtinCatalogue.measurements[builtinCatalogue.indexOf("weather")!]?.name).toBe("weather");
    expect(builtinCatalogue.indexOf("constructor")).toBeUndefined();
  });
});

test("one name is one measurement", () => {
  expect(() => makeCatalogue([trafficFlow, trafficFlow])).toThrow(/"traffic_flow" is given twice/);
});

test("the example of a city's own measurement is added after the built-in ones", async () => {
  const document: unknown = parse(await readFile("catalogue.d/parking.yaml.example", "utf8"));
  const merged = mergeCatalogue(builtinCatalogue, [{ file: "parking.yaml", document }]);
  expect(merged).toMatchObject({ ok: true });
  const names = merged.ok ? merged.catalogue.measurements.map(({ name }) => name) : [];
  expect(names).toStrictEqual([...builtinCatalogue.measurements.map(({ name }) => name), "parking"]);
});

describe("a catalogue file is refused, with its name and the key", () => {
  const field = {
    name: "x",
    unit: "1",
    physical: [null, null],
    plausible: [null, null],
    title: { en: "X", ar: "س" },
  };
  const own = { ...trafficFlow, name: "own", fields: [field] };
  const withField = (change: object) => ({ measurements: [{ ...own, fields: [{ ...field, ...change }] }] });

  test.each([
    ["x.yaml: (the whole file): ", null],
    ['x.yaml: (the whole file): Unrecognized key: "measurement"', { measurements: [own], measurement: 1 }],
    ["x.yaml: measurements: ", {}],
    [
      'x.yaml: measurements[0].name: "traffic_flow" is already defined in the built-in catalogue',
      { measurements: [trafficFlow] },
    ],
    ['x.yaml: measurements[1].name: "own" is already defined in x.yaml', { measurements: [own, own] }],
    [
      'x.yaml: measurements[0].name: "forecast" is reserved',
      { measurements: [{ ...own, name: "forecast" }] },
    ],
    ["x.yaml: measurements[0].name: a lower-case letter", { measurements: [{ ...own, name: "Own" }] }],
    [
      'x.yaml: measurements[0].fields[1].name: the field "x" is given twice',
      { measurements: [{ ...own, fields: [field, field] }] },
    ],
    ['x.yaml: measurements[0].fields[0].name: "time" is reserved', withField({ name: "time" })],
    ['x.yaml: measurements[0].fields[0].name: "series" is reserved', withField({ name: "series" })],
    ['x.yaml: measurements[0].fields[0].name: "sensor" is reserved', withField({ name: "sensor" })],
    ["x.yaml: measurements[0].fields[0].unit: ", withField({ unit: 5 })],
    [
      "x.yaml: measurements[0].fields[0].plausible: the lower bound is above",
      withField({ plausible: [2, 1] }),
    ],
    [
      "x.yaml: measurements[0].fields[0].physical: a counter or delta is never negative",
      withField({ kind: "counter" }),
    ],
    [
      "x.yaml: measurements[0].fields[0].plausible: the plausible range leaves",
      withField({ physical: [0, 1] }),
    ],
    ["x.yaml: measurements[0].fields[0].integral_of: only a counter", withField({ integral_of: "x" })],
    [
      'x.yaml: measurements[0].fields[0].integral_of: "y" is no gauge of this measurement',
      withField({ kind: "counter", physical: [0, null], plausible: [0, null], integral_of: "y" }),
    ],
    ["x.yaml: measurements[0].fields[0].title.ar: ", withField({ title: { en: "X" } })],
    ['x.yaml: measurements[0].fields[0]: Unrecognized key: "range"', withField({ range: 1 })],
  ])("%s", (expected, document) => {
    const merged = mergeCatalogue(builtinCatalogue, [{ file: "x.yaml", document }]);
    expect(merged.ok ? [] : merged.problems).toStrictEqual([expect.stringContaining(expected)]);
  });

  test("all its problems at once, and those of the other files", () => {
    const merged = mergeCatalogue(builtinCatalogue, [
      { file: "a.yaml", document: withField({ unit: "", type: "text" }) },
      { file: "b.yaml", document: { measurements: [own] } },
      { file: "c.yaml", document: { measurements: [own] } },
    ]);
    expect(merged.ok ? [] : merged.problems.map((text) => text.split(": ").slice(0, 2))).toStrictEqual([
      ["a.yaml", "measurements[0].fields[0].type"],
      ["a.yaml", "measurements[0].fields[0].unit"],
      ["c.yaml", "measurements[0].name"],
    ]);
  });
});

test("the schema can be written as JSON Schema", () => {
  expect(z.toJSONSchema(Measurement)).toMatchObject({ type: "object" });
});

test("a voltage is plausible around the sensor's own nominal one", () => {
  const energyMeter = builtinCatalogue.measurements[builtinCatalogue.indexOf("energy_meter")!]!;
  const voltage = energyMeter.fields.find(({ name }) => name === "voltage")!;
  expect(plausibleRange(voltage, undefined)).toStrictEqual([null, null]);
  const [low, high] = plausibleRange(voltage, { place: "QA-DA", nominal_v: 240 });
  expect(low).toBeCloseTo(204);
  expect(high).toBeCloseTo(276);
});

describe("a catalogue that is in use", () => {
  const parking: Measurement = { ...trafficFlow, name: "parking" };
  const waste: Measurement = { ...trafficFlow, name: "waste" };
  const current = makeCatalogue([trafficFlow, parking]);

  test("takes new measurements behind its own, in whatever order the files have them", () => {
    const { catalogue, ...differences } = extendCatalogue(
      current,
      makeCatalogue([waste, parking, trafficFlow]),
    );
    expect(catalogue.measurements).toEqual([trafficFlow, parking, waste]);
    expect(catalogue.indexOf("waste")).toBe(2);
    expect(differences).toEqual({ added: [waste], changed: [], removed: [] });
  });

  test("keeps those that changed or went, and names them", () => {
    const next = makeCatalogue([{ ...trafficFlow, period_s: 7 }]);
    const { catalogue, ...differences } = extendCatalogue(current, next);
    expect(catalogue).toBe(current);
    expect(differences).toEqual({ added: [], changed: ["traffic_flow"], removed: ["parking"] });
  });
});
