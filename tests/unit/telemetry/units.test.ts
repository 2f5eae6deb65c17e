import { assert, constantFrom, double, property, string } from "fast-check";
import { expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { conversion, convert } from "#telemetry/units.ts";

test.for([
  [36, "km/h", "m/s", 10],
  [10, "m/s", "km/h", 36],
  [0.0125, "m3/s", "L/s", 12.5],
  [45, "m3/h", "L/s", 12.5],
  [3.6e6, "J", "kW.h", 1],
  [1.5, "MW.h", "kW.h", 1500],
  [293.15, "K", "Cel", 20],
  [212, "[degF]", "Cel", 100],
  [-40, "Cel", "[degF]", -40],
  [101_325, "Pa", "kPa", 101.325],
  [1.2, "bar", "kPa", 120],
  [50, "[psi]", "kPa", 344.738],
  [0.45, "1", "%", 45],
  [45, "%", "1", 0.45],
  [0.05, "S/m", "uS/cm", 500],
  [1.2e-8, "kg/m3", "ug/m3", 12],
  [0.0005, "kg/m3", "mg/L", 0.5],
  [1200, "kg", "t", 1.2],
  [2, "min", "s", 120],
  [10, "[gal_us]", "L", 37.854],
  [5, "/min", "Hz", 0.083],
] as const)("%d %s in %s is %d", ([value, from, to, expected]) => {
  expect(convert(value, conversion(from, to)!)).toBeCloseTo(expected, 3);
});

test.for([
  ["Cel", "%"],
  ["km/h", "km"],
  ["L/s", "L"],
  ["{vehicle}", "1"],
  ["[pH]", "1"],
  ["Cel/m", "K/m"],
  ["furlong", "m"],
  ["kmin", "s"],
  ["k%", "1"],
  ["m+s", "m"],
  ["", "m"],
])("%s cannot become %s", ([from, to]) => {
  expect(conversion(from!, to!)).toBeUndefined();
});

const units = builtinCatalogue.measurements.flatMap(({ fields }) => fields.map(({ unit }) => unit));

test.for(units)("%s is itself, exactly", (unit) => {
  expect(conversion(unit, unit)).toEqual({ multiply: 1, divide: 1, add: 0 });
});

test.for(units.filter((unit) => !unit.startsWith("{")))("the catalogue's %s is known", (unit) => {
  expect(conversion(unit, unit === "Cel" ? "K" : `${unit}.1`)).toBeDefined();
});

test("there and back again is where one began", () => {
  const speeds = ["km/h", "m/s", "mm/h", "m/min"];
  const value = double({ noNaN: true, min: -1e9, max: 1e9 });
  assert(
    property(value, constantFrom(...speeds), constantFrom(...speeds), (given, from, to) => {
      const back = convert(convert(given, conversion(from, to)!), conversion(to, from)!);
      expect(Math.abs(back - given)).toBeLessThanOrEqual(1e-12 * Math.abs(given) + 1e-300);
    }),
  );
});

test("no text makes it throw", () => {
  assert(
    property(string(), string(), (from, to) => {
      expect(() => conversion(from, to)).not.toThrow();
    }),
  );
});
