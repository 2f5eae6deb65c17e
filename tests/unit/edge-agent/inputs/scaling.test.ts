import * as fc from "fast-check";
import { expect, test } from "vitest";
import { scaler } from "#edge-agent/inputs/scaling.ts";
import { conversion } from "#telemetry/units.ts";

const none = conversion("1", "1")!;

function scaled(raw: number, scale: number, offset = 0): number {
  return scaler({ scale, offset, conversion: none })(raw);
}

test("a whole number is scaled to what the device's display says, not to a neighbour of it", () => {
  expect(scaled(3, 0.1)).toBe(0.3); // 3 * 0.1 is 0.30000000000000004
  expect(scaled(83_190, 0.001)).toBe(83.19);
  expect(scaled(1_234_567_891, 1e-3)).toBe(1_234_567.891);
  expect(scaled(215, 0.1, -40)).toBe(-18.5);
  expect(scaled(7, -1)).toBe(-7);
  expect(scaled(7, 1000)).toBe(7000);
});

test("a scaled whole number is the double nearest to the decimal fraction", () => {
  const raw = fc.integer({ min: -(2 ** 31), max: 2 ** 32 });
  const scale = fc.record({
    whole: fc.integer({ min: 1, max: 999 }),
    digits: fc.integer({ min: 0, max: 6 }),
  });
  fc.assert(
    fc.property(raw, scale, (raw, { whole, digits }) => {
      const decimals = (BigInt(raw) * BigInt(whole)).toString();
      expect(scaled(raw, Number(`${whole}e-${digits}`))).toBe(Number(`${decimals}e-${digits}`));
    }),
  );
});

test("what is not whole, or too large for it, is scaled as doubles are", () => {
  const numbers = [fc.double(), fc.double({ noNaN: true }), fc.double({ noNaN: true })] as const;
  fc.assert(
    fc.property(...numbers, (raw, scale, offset) => {
      const result = scaled(raw, scale, offset);
      const plain = raw * scale + offset;
      const tolerance = 1e-12 * (Math.abs(raw * scale) + Math.abs(offset)) + 1e-300;
      expect(Number.isFinite(plain) ? Math.abs(result - plain) <= tolerance : !Number.isFinite(result)).toBe(
        true,
      );
    }),
  );
});

test("the result is in the catalogue's unit", () => {
  const flow = scaler({ scale: 0.1, offset: 0, conversion: conversion("m3/h", "L/s")! });
  expect(flow(360)).toBe(10);
  const warmth = scaler({ scale: 1, offset: 0, conversion: conversion("[degF]", "Cel")! });
  expect(warmth(212)).toBeCloseTo(100, 9);
});
