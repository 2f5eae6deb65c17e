import { describe, expect, test } from "vitest";
import { planField, planMeasurement, spell } from "#edge-agent/inputs/field-plan.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Field, Measurement } from "#telemetry/catalogue.ts";

function measurement(name: string): Measurement {
  return builtinCatalogue.measurements[builtinCatalogue.indexOf(name)!]!;
}

/** The value, or what is wrong. */
function valueOf(raw: number, field: string, unit: string | undefined, of: string): number | string {
  const planned = planField(field, { scale: 1, offset: 0, unit }, measurement(of));
  return planned.ok ? planned.plan.scale(raw) : planned.problems.join("; ");
}

describe("what devices show becomes the catalogue's unit:", () => {
  test.each([
    ["L/s", 12.5, "flow", "water_flow", 12.5],
    ["m3/h", 36, "flow", "water_flow", 10],
    ["m³/h", 36, "flow", "water_flow", 10],
    ["l/s", 12.5, "flow", "water_flow", 12.5],
    ["L/min", 600, "flow", "water_flow", 10],
    ["L", 1500, "volume_total", "water_flow", 1.5],
    ["bar", 3.5, "pressure", "water_flow", 350],
    ["W", 1500, "power", "energy_meter", 1.5],
    ["Wh", 250, "import_total", "energy_meter", 0.25],
    ["kWh", 7, "import_total", "energy_meter", 7],
    ["mV", 230_100, "voltage", "energy_meter", 230.1],
    ["°C", 4.5, "temp", "cold_storage", 4.5],
    ["%", 62, "fill", "water_tank", 0.62],
    ["kg", 1200, "stock", "food_stock", 1.2],
  ])("%s", (unit, raw, field, of, expected) => {
    expect(valueOf(raw, field, unit, of)).toBe(expected);
  });

  test("degrees Fahrenheit", () => {
    expect(valueOf(41, "temp", "degF", "cold_storage")).toBeCloseTo(5, 9);
  });
});

test("a unit that does not fit is refused with those that do", () => {
  expect(valueOf(1, "flow", "kW", "water_flow")).toMatch(
    /^fields.flow.unit: "kW" does not become L\/s, the unit of flow: write one of L\/s, m3\/h, /,
  );
  expect(valueOf(1, "flow", "furlong", "water_flow")).toMatch(/^fields.flow.unit: "furlong" does not become/);
  expect(valueOf(1, "ph", "L", "water_quality")).toBe(
    'fields.ph.unit: "L" does not become [pH], the unit of ph: write [pH]',
  );
});

test("a unit may be left out only where there is none", () => {
  expect(valueOf(0.5, "pf", undefined, "energy_meter")).toBe(0.5);
  expect(valueOf(1, "flow", undefined, "water_flow")).toMatch(
    /^fields.flow.unit: in which unit does the device show it\?/,
  );
});

test("names that the catalogue does not have are refused with the nearest ones", () => {
  const unknown = planMeasurement("water_flw", builtinCatalogue);
  expect(unknown.ok ? [] : unknown.problems).toEqual([
    expect.stringMatching(/^measurement: the catalogue has no "water_flw"; did you mean water_flow\?/),
  ]);
  expect(valueOf(1, "preasure", "kPa", "water_flow")).toBe(
    "fields.preasure: water_flow has no such field; did you mean pressure?",
  );
});

function fieldOf(type: Field["type"]): Field {
  return { ...measurement("water_flow").fields[0]!, type };
}

test("values are spelled as their field's type in line protocol, in full", () => {
  expect(spell(0.1 + 0.2, fieldOf("float"))).toBe("0.30000000000000004");
  expect(spell(1e21, fieldOf("float"))).toBe("1e+21");
  expect(spell(31, fieldOf("integer"))).toBe("31i");
  expect(spell(31.5, fieldOf("integer"))).toBe("31.5"); // the platform refuses it, and says so
  expect(spell(2, fieldOf("boolean"))).toBe("true");
  expect(spell(Number.NaN, fieldOf("float"))).toBeUndefined();
  expect(spell(Infinity, fieldOf("float"))).toBeUndefined();
});
