import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LineWriter, encodeFields } from "#store/influxdb/line-writer.ts";
import type { BlockTable } from "#telemetry/block.ts";
import type { FieldType } from "#telemetry/catalogue.ts";

/** One row. NaN: absent. */
function rowOf(fields: readonly (readonly [string, FieldType, number])[], time: number): BlockTable {
  return {
    measurement: "m",
    fields: fields.map(([name, type]) => ({ name, type })),
    rows: 1,
    time: Float64Array.of(time),
    series: Uint32Array.of(0),
    values: fields.map(([, , value]) => Float64Array.of(value)),
    runs: Uint32Array.of(0, 1),
  };
}

function lineOf(fields: Parameters<typeof rowOf>[0], time: number): string {
  const writer = new LineWriter();
  const row = rowOf(fields, time);
  writer.write(Buffer.from("m,sensor=s "), encodeFields(row), row, 0);
  return writer.bytes.toString();
}

test("a line has its prefix, its present fields in their types, and its time", () => {
  const fields = [
    ["flow", "float", 31],
    ["volume", "float", -48.25],
    ["absent", "float", Number.NaN],
    ["total", "integer", -17],
    ["open", "boolean", 1],
    ["shut", "boolean", 0],
  ] as const;
  expect(lineOf(fields, 1_763_860_000_123)).toBe(
    "m,sensor=s flow=31,volume=-48.25,total=-17i,open=true,shut=false 1763860000123\n",
  );
});

test("a row without a value is no line", () => {
  expect(lineOf([["flow", "float", Number.NaN]], 0)).toBe("");
});

const odd = fc.constantFrom(
  0,
  -0,
  1e15,
  999_999_999_999_999,
  1e9,
  999_999_999.999_999,
  0.000_001,
  1e-7,
  5e-324,
  Number.MAX_VALUE,
  2 ** 53,
  0.1 + 0.2,
  1e21,
  123_456.000_001,
);
const usual = fc
  .tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), fc.integer({ min: 0, max: 7 }))
  .map(([n, places]) => n / 10 ** places);
const anyNumber = fc.oneof(
  odd,
  usual,
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -(2 ** 53), max: 2 ** 53 }),
);

test("any number reads as the same double, and is never longer than String makes it", () => {
  fc.assert(
    fc.property(anyNumber, (value) => {
      const text = /f=(\S+) /.exec(lineOf([["f", "float", value]], 0))![1]!;
      expect(Number(text)).toBe(value === 0 ? 0 : value);
      expect(text).toMatch(/^-?\d+(\.\d+)?(e[+-]?\d+)?$/);
      expect(text.length).toBeLessThanOrEqual(Math.max(22, String(value).length));
    }),
    { numRuns: 2_000 },
  );
});

test("any whole number and time is exact to the last digit", () => {
  const whole = fc.maxSafeInteger();
  fc.assert(
    fc.property(whole, whole, (value, time) => {
      expect(lineOf([["n", "integer", value]], time)).toBe(`m,sensor=s n=${value || 0}i ${time || 0}\n`);
    }),
    { numRuns: 1_000 },
  );
});

test("lines follow one another however many there are, with times that repeat or change", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.nat(1_000)), { minLength: 1, maxLength: 3_000 }),
      (readings) => {
        const writer = new LineWriter();
        for (const [time, value] of readings) {
          const row = rowOf([["v", "float", value]], time);
          writer.write(Buffer.from(`m,sensor=${"s".repeat(40)} `), encodeFields(row), row, 0);
        }
        const expected = readings.map(([time, value]) => `m,sensor=${"s".repeat(40)} v=${value} ${time}\n`);
        expect(writer.bytes.toString()).toBe(expected.join(""));
        writer.clear();
        expect(writer.length).toBe(0);
      },
    ),
    { numRuns: 20 },
  );
});
