import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FieldTypes, separate } from "#store/field-types.ts";
import { lineOf, refusalsOf } from "#store/refusals.ts";
import { type Block, countByGateway, decodeBlock } from "#telemetry/block.ts";
import { type FieldType, fieldTypes } from "#telemetry/catalogue.ts";
import { type Reading, TestJournal } from "../../contract/store/journal.ts";

const noon = Date.UTC(2026, 0, 31, 12);
const stored = (types: Record<string, FieldType>): FieldTypes =>
  new Map([["everything", new Map(Object.entries(types))]]);

function blockOf(readings: readonly Reading[], types: Record<string, FieldType>): Block {
  const journal = new TestJournal({ everything: types });
  return decodeBlock(journal.batchOf(readings).blocks[0]!);
}

const isBoolean = (value: number): boolean => value === 0 || value === 1;

function total(value: number | boolean, at = 0, gateway = "gw-1"): Reading {
  return { measurement: "everything", sensor: "s-1", time: noon + at, fields: { total: value }, gateway };
}

describe("a field's type", () => {
  test("is learnt from the first block that has the field", () => {
    const block = blockOf([total(1)], { total: "integer", open: "boolean" });
    const separated = separate(block, new Map());
    expect(separated.block).toBe(block);
    expect(separated.learnt).toEqual(stored({ total: "integer", open: "boolean" }));
  });

  test("stays: values that it can say are kept in it, others are refused with their whole reading", () => {
    const block = blockOf([total(3, 0), total(0.5, 1), total(4, 2, "gw-2"), total(2 ** 60, 3, "gw-2")], {
      total: "float",
    });
    const { block: rest, refused, learnt } = separate(block, stored({ total: "integer" }));
    expect(rest.tables[0]).toMatchObject({ rows: 2, fields: [{ name: "total", type: "integer" }] });
    expect([...rest.tables[0]!.values[0]!]).toEqual([3, 4]);
    expect(countByGateway(rest)).toEqual(
      new Map([
        ["gw-1", 1],
        ["gw-2", 1],
      ]),
    );
    expect(learnt.size).toBe(0);
    const refusals = refusalsOf(block, 7, refused, (series) => block.newSeries[series]!);
    expect(refusals).toMatchObject([
      {
        position: 7,
        gateway: "gw-1",
        agency: "test",
        readings: 1,
        lines: `everything,sensor=s-1 total=0.5 ${noon + 1}`,
      },
      {
        gateway: "gw-2",
        readings: 1,
        lines: `everything,sensor=s-1 total=1152921504606847000 ${noon + 3}`,
      },
    ]);
    expect(refusals[0]!.detail).toContain("everything.total is kept as integer");
  });

  test("for any types and values: kept rows and refused rows are the block's, and each kept value fits", () => {
    const value = fc.oneof(fc.constantFrom(0, 1, 2, 0.5, -1, 2 ** 53, 1e300), fc.double({ noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, fc.constantFrom("gw-1", "gw-2")), { minLength: 1, maxLength: 20 }),
        fc.constantFrom(...fieldTypes),
        fc.constantFrom(...fieldTypes),
        (values, type, before) => {
          const block = blockOf(
            values.map(([number, gateway], i) => total(number, i, gateway)),
            { total: type },
          );
          const { block: rest, refused } = separate(block, stored({ total: before }));
          const table = rest.tables[0]!;
          expect(table.rows + refused.length).toBe(values.length);
          const gone = new Set(refused.map(({ row }) => row));
          const expected = values.filter((_, row) => !gone.has(row));
          expect([...table.values[0]!]).toEqual(expected.map(([number]) => number));
          const sent = Map.groupBy(expected, ([, gateway]): string => gateway);
          for (const [gateway, readings] of countByGateway(rest))
            expect(readings).toBe(sent.get(gateway)?.length);
          const fits = { float: () => true, integer: Number.isInteger, boolean: isBoolean }[before];
          expect(type === before || [...table.values[0]!].every(fits)).toBe(true);
        },
      ),
    );
  });
});

test("a refused row is spelled as its sensor would say it, absent fields left out", () => {
  const reading = {
    measurement: "everything",
    sensor: "s:1",
    time: noon,
    fields: { level: -1.5e-7, open: true },
  };
  const block = blockOf([reading, { ...reading, fields: { total: -3 } }], {
    level: "float",
    total: "integer",
    open: "boolean",
  });
  const [table] = block.tables;
  expect(lineOf(table!, 0, "s:1")).toBe(`everything,sensor=s:1 level=-1.5e-7,open=true ${noon}`);
  expect(lineOf(table!, 1, "s:1")).toBe(`everything,sensor=s:1 total=-3i ${noon}`);
});

test("refusals are gathered by gateway and reason, and cut where their lines become long", () => {
  const readings = Array.from({ length: 10_000 }, (_, i) => total(0.5, i, i % 2 === 0 ? "gw-1" : "gw-2"));
  const block = blockOf(readings, { total: "float" });
  const { refused } = separate(block, stored({ total: "boolean" }));
  const refusals = refusalsOf(block, 0, refused, (series) => block.newSeries[series]!);
  expect(refusals.every(({ lines }) => lines.length <= 128 * 1024)).toBe(true);
  expect(new Set(refusals.map(({ gateway }) => gateway))).toEqual(new Set(["gw-1", "gw-2"]));
  expect(refusals.reduce((sum, { readings }) => sum + readings, 0)).toBe(readings.length);
  expect(refusals.flatMap(({ lines }) => lines.split("\n"))).toHaveLength(readings.length);
});
