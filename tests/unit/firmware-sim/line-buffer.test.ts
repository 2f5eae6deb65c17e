import * as fc from "fast-check";
import { expect, test } from "vitest";
import { makeCatalogue, type Field, type FieldType } from "#telemetry/catalogue.ts";
import { LineBuffer, lineShape } from "#firmware-sim/line-buffer.ts";

const title = { en: "x", ar: "x" };
const field = (name: string, type: FieldType): Field => ({
  name,
  type,
  kind: "gauge",
  unit: "1",
  physical: [null, null],
  plausible: [null, null],
  title,
});
const catalogue = makeCatalogue([
  {
    name: "probe",
    domain: "test",
    title,
    period_s: 60,
    seasons: [],
    bad: "none",
    fields: [field("a", "float"), field("b", "float"), field("n", "integer"), field("on", "boolean")],
  },
]);
const formats = [
  { name: "a", decimals: 2 },
  { name: "b", decimals: 0 },
  { name: "n", decimals: 0 },
  { name: "on", decimals: 0 },
];
const shape = lineShape(catalogue, "probe", "p-1", formats);

/** The plain version of the same. */
function plainLine(values: readonly number[], time: number): string {
  const fields = formats.flatMap(({ name, decimals }, i) => {
    const value = values[i]!;
    if (!Number.isFinite(value)) return [];
    if (name === "on") return `on=${value === 0 ? "f" : "t"}`;
    const text = (Math.round(value * 10 ** decimals) / 10 ** decimals).toFixed(decimals);
    return `${name}=${Number(text) === 0 ? text.replace("-", "") : text}${name === "n" ? "i" : ""}`;
  });
  return fields.length === 0 ? "" : `probe,sensor=p-1 ${fields.join(",")} ${time}\n`;
}

function lineOf(values: readonly number[], time: number): string {
  const buffer = new LineBuffer(1024);
  buffer.append(shape, Float64Array.from(values), time);
  return buffer.take().toString();
}

test("a line has the fields in their order with their decimals, and the suffix of their type", () => {
  expect(lineOf([48.204, 31, 7, 1], 1_763_860_000_000)).toBe(
    "probe,sensor=p-1 a=48.20,b=31,n=7i,on=t 1763860000000\n",
  );
  expect(lineOf([-0.05, -0.4, 0, 0], 0)).toBe("probe,sensor=p-1 a=-0.05,b=0,n=0i,on=f 0\n");
});

test("what is not finite is absent, and a reading without any value is no line", () => {
  expect(lineOf([Number.NaN, 5, Number.POSITIVE_INFINITY, Number.NaN], 1)).toBe("probe,sensor=p-1 b=5 1\n");
  const buffer = new LineBuffer(1024);
  buffer.append(shape, new Float64Array(4).fill(Number.NaN), 1);
  expect([buffer.length, buffer.lines]).toEqual([0, 0]);
});

test("lines are those of the plain version, for values of any size", () => {
  const value = fc.oneof(
    fc.double({ min: -1e12, max: 1e12, noNaN: true }),
    fc.double({ min: -3, max: 3, noNaN: true }),
    fc.integer({ min: -3_000_000_000, max: 3_000_000_000 }),
    fc.constant(Number.NaN),
  );
  fc.assert(
    fc.property(fc.tuple(value, value, value, value), fc.maxSafeNat(), (values, time) => {
      expect(lineOf(values, time)).toBe(plainLine(values, time));
    }),
    { numRuns: 2000 },
  );
});

test("a chunk that was taken stays as it is while the next one is filled", () => {
  const buffer = new LineBuffer(40);
  buffer.append(shape, Float64Array.of(1, 2, 3, 1), 111);
  expect(buffer.full).toBe(true);
  const first = buffer.take();
  const text = first.toString();
  for (let i = 0; i < 5; i += 1) {
    buffer.append(shape, Float64Array.of(9, 9, 9, 0), 222 + i);
    buffer.take();
  }
  expect(first.toString()).toBe(text);
});

test("an unknown measurement or field is refused by name", () => {
  expect(() => lineShape(catalogue, "nothing", "p-1", [])).toThrow("nothing");
  expect(() => lineShape(catalogue, "probe", "p-1", [{ name: "zz", decimals: 0 }])).toThrow("zz");
});
