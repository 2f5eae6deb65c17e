import * as fc from "fast-check";
import { expect, test } from "vitest";
import { nearest } from "#api/nearest.ts";

const names = ["traffic_flow", "travel_time", "water_flow", "water_tank", "water_quality", "weather"];

test("a slip of the keyboard finds the name, best first", () => {
  expect(nearest("trafic_flow", names)[0]).toBe("traffic_flow");
  expect(nearest("WATER_TANC", names)[0]).toBe("water_tank");
  expect(nearest("tf-101", ["tf-001", "tf-011", "wm-101"])).toEqual(["tf-001", "tf-011", "wm-101"]);
});

test("a part of a name finds what contains it", () => {
  expect(nearest("water", names)).toEqual(
    expect.arrayContaining(["water_flow", "water_tank", "water_quality"]),
  );
});

test("nothing near is nothing", () => {
  expect(nearest("parking_occupancy", names)).toEqual([]);
  expect(nearest("anything", [])).toEqual([]);
});

test("offers at most five names, each once, an exact one first", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 12 })), fc.string({ maxLength: 12 }), (some, wanted) => {
      const found = nearest(wanted, [...some, wanted, wanted]);
      expect(found[0]?.toLowerCase()).toBe(wanted.toLowerCase());
      expect(found.length).toBeLessThanOrEqual(5);
      expect(new Set(found).size).toBe(found.length);
    }),
  );
});
