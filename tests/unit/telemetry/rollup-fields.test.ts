import { expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Field } from "#telemetry/catalogue.ts";
import { mainRollupField, rollupFields } from "#telemetry/rollup-fields.ts";

function fieldOf(measurement: string, name: string): Field {
  const at = builtinCatalogue.indexOf(measurement) ?? -1;
  return builtinCatalogue.measurements[at]!.fields.find((field) => field.name === name)!;
}

function names(measurement: string, name: string): string[] {
  return rollupFields(fieldOf(measurement, name)).map((field) => field.name);
}

test("each kind of field has its parts, named after it", () => {
  expect(names("water_flow", "pressure")).toEqual([
    "pressure_mean",
    "pressure_min",
    "pressure_max",
    "pressure_sum",
    "pressure_last",
    "pressure_count",
    "pressure_covered_s",
  ]);
  expect(names("traffic_flow", "speed_avg")).toContain("speed_avg_weight");
  expect(names("cold_storage", "door_open")).toEqual([
    "door_open_mean",
    "door_open_last",
    "door_open_count",
    "door_open_covered_s",
  ]);
  expect(names("traffic_flow", "vehicles")).toEqual([
    "vehicles_sum",
    "vehicles_mean",
    "vehicles_min",
    "vehicles_max",
    "vehicles_last",
    "vehicles_count",
  ]);
  expect(names("energy_meter", "import_total")).toEqual([
    "import_total_increase",
    "import_total_last",
    "import_total_count",
  ]);
});

test("units and types are those of what is said, not of the field alone", () => {
  const said = Object.fromEntries(
    rollupFields(fieldOf("water_flow", "flow")).map(({ of, unit, type }) => [of, `${type} ${unit}`]),
  );
  expect(said).toEqual({
    mean: "float L/s",
    min: "float L/s",
    max: "float L/s",
    sum: "float L/s",
    last: "float L/s",
    count: "integer {reading}",
    covered_s: "float s",
  });
  expect(mainRollupField(fieldOf("water_flow", "volume_total"))).toEqual({
    name: "volume_total_increase",
    of: "increase",
    unit: "m3",
    type: "float",
    title: { en: "Total volume, increase", ar: "الحجم الكلي، الزيادة" },
  });
});

test("no two roll-up fields of a measurement share a name", () => {
  for (const { fields } of builtinCatalogue.measurements) {
    const all = fields.flatMap(rollupFields).map(({ name }) => name);
    expect(all).toEqual([...new Set(all)]);
  }
});
