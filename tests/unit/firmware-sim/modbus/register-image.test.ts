import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { registerMapOf } from "#firmware-sim/modbus/device-maps.ts";
import { registerImage, writeRegisters } from "#firmware-sim/modbus/register-image.ts";
import {
  lengthOf,
  maxRegistersPerRead,
  widthOf,
  type ByteOrder,
  type RegisterType,
} from "#firmware-sim/modbus/register-map.ts";
import { readRegisters, valueAt } from "../../../support/modbus-registers.ts";
import { RunningCity } from "../running-city.ts";

const whole = (low: number, high: number): fc.Arbitrary<number> => fc.integer({ min: low, max: high });
const values: Record<RegisterType, fc.Arbitrary<number>> = {
  u16: whole(0, 2 ** 16 - 1),
  i16: whole(-(2 ** 15), 2 ** 15 - 1),
  u32: whole(0, 2 ** 32 - 1),
  i32: whole(-(2 ** 31), 2 ** 31 - 1),
  u64: whole(0, Number.MAX_SAFE_INTEGER),
  i64: whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  f32: fc.float(),
  f64: fc.double(),
};
const orders: readonly ByteOrder[] = ["ABCD", "CDAB", "BADC", "DCBA"];

test.each(Object.keys(values) as RegisterType[])(
  "a %s is read back as it was written, in every order",
  (type) => {
    fc.assert(
      fc.property(values[type], fc.constantFrom(...orders), whole(0, 5), (value, order, register) => {
        const image = Buffer.alloc(2 * 10, 0xee);
        writeRegisters(image, register, type, order, value);
        expect(readRegisters(image, { register, type, order })).toBe(value);
        const end = 2 * (register + widthOf(type));
        expect(image.subarray(0, 2 * register).every((byte) => byte === 0xee)).toBe(true);
        expect(image.subarray(end).every((byte) => byte === 0xee)).toBe(true);
      }),
    );
  },
);

function written(type: RegisterType, order: ByteOrder, value: number): string {
  const image = Buffer.alloc(2 * widthOf(type));
  writeRegisters(image, 0, type, order, value);
  return image.toString("hex");
}

test("the orders are what meters' manuals call them", () => {
  expect(orders.map((order) => written("u32", order, 0x0a_0b_0c_0d))).toEqual([
    "0a0b0c0d",
    "0c0d0a0b",
    "0b0a0d0c",
    "0d0c0b0a",
  ]);
  expect(orders.map((order) => written("u64", order, 0x01_02_03_04_05_06_07))).toEqual([
    "0001020304050607",
    "0607040502030001",
    "0100030205040706",
    "0706050403020100",
  ]);
});

test("a value that its registers cannot hold is told beforehand", () => {
  const named = registerMapOf("water-tank")!;
  const image = registerImage(named.map, ["level", "fill", "inflow", "outflow"]);
  const holds = (...row: number[]): boolean => image.holds(0, Float64Array.from(row));
  expect(holds(4.254, 0.6127, 226.67, 167.75)).toBe(true);
  expect(holds(-32.768, 0, 0, 0)).toBe(true);
  expect(holds(32.768, 0, 0, 0)).toBe(false);
  expect(holds(4, Number.NaN, 0, 0)).toBe(false);
  expect(image.holds(-1, Float64Array.of(4, 0.5, 0, 0))).toBe(false);
});

describe.each(["water-meter", "water-tank", "energy-meter"] as const)("a %s", (kind) => {
  const { map } = registerMapOf(kind)!;

  test("is laid out without overlap, in the catalogue's fields and units, for one request", () => {
    const known = builtinCatalogue.measurements[builtinCatalogue.indexOf(map.measurement)!]!.fields;
    for (const [name, { unit }] of Object.entries(map.fields))
      expect(known.find((field) => field.name === name)?.unit).toBe(unit);
    const taken = [map.time, map.row, ...Object.values(map.fields)].flatMap(({ register, type }) =>
      Array.from({ length: widthOf(type) }, (_, i) => register + i),
    );
    expect(new Set(taken).size).toBe(taken.length);
    expect(lengthOf(map) - Math.min(...taken)).toBeLessThanOrEqual(maxRegistersPerRead);
  });

  test("shows in registers what it would say in a line, in all seasons", () => {
    let rows = 0;
    for (const from of ["2026-01-11T00:00", "2026-07-05T10:00"]) {
      const city = new RunningCity({ kinds: [kind], seed: 3 });
      for (const { device, times, values } of city.say({ from, hours: 12, step_min: 15 }).values()) {
        const names = device.fields.map(({ name }) => name);
        const image = registerImage(map, names);
        for (const [i, time] of times.entries()) {
          rows += 1;
          const said = Float64Array.from(names, (name) => values[name]![i]!);
          expect(image.holds(time, said)).toBe(true);
          const registers = image.encode({ number: rows, time, values: said });
          expect(readRegisters(registers, map.time)).toBe(time);
          expect(readRegisters(registers, map.row)).toBe(rows);
          expect(
            device.fields.map(({ name, decimals }) => valueAt(registers, map.fields[name]!, decimals)),
          ).toEqual([...said]);
        }
      }
    }
    expect(rows).toBeGreaterThan(800);
  });
});
