import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countByGateway, decodeBlock, encodeBlock } from "#telemetry/block.ts";
import type { BlockInput } from "#telemetry/block.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import { catalogue } from "./support.ts";

interface Row {
  readonly time: number;
  readonly series: number;
  readonly values: readonly number[];
  readonly gateway: number;
}

const row = (fields: number): fc.Arbitrary<Row> =>
  fc.record({
    time: fc.double(),
    series: fc.nat(0xffff_ffff),
    values: fc.array(fc.oneof(fc.double(), fc.constant(Number.NaN)), {
      minLength: fields,
      maxLength: fields,
    }),
    gateway: fc.nat(3),
  });

const tables = fc.uniqueArray(fc.nat(catalogue.measurements.length - 1), { maxLength: 4 }).chain((indexes) =>
  fc.tuple(
    ...indexes.map((index) => {
      const measurement = catalogue.measurements[index]!;
      return fc
        .array(row(measurement.fields.length), { maxLength: 20 })
        .map((rows) => ({ measurement, rows }));
    }),
  ),
);

const newSeries = fc.array(
  fc.record(
    {
      series: fc.nat(),
      measurement: fc.string(),
      agency: fc.string({ unit: "grapheme" }),
      sensor: fc.string(),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 5 },
);

const inputs = fc.tuple(tables, newSeries).map(([given, series]) => ({
  given,
  input: {
    tables: given.map(({ measurement, rows }) => {
      const table = new ReadingTable(measurement, 1);
      for (const { time, series: number, values, gateway } of rows) {
        const at = table.nextRow();
        table.time[at] = time;
        table.series[at] = number;
        for (const [i, value] of values.entries()) table.values[i]![at] = value;
        table.commitRow(gateway);
      }
      return table;
    }),
    newSeries: series,
    gatewayName: (gateway: number) => `gateway-${gateway}-بوابة`,
  } satisfies BlockInput,
}));

describe("a block", () => {
  test("decoded is what was encoded", () => {
    fc.assert(
      fc.property(inputs, ({ given, input }) => {
        const block = decodeBlock(encodeBlock(input));
        expect(block.newSeries).toStrictEqual(input.newSeries);
        const filled = given.filter(({ rows }) => rows.length > 0);
        expect(block.readings).toBe(filled.reduce((sum, { rows }) => sum + rows.length, 0));
        expect(block.tables.map(({ measurement }) => measurement)).toStrictEqual(
          filled.map(({ measurement }) => measurement.name),
        );
        for (const [i, { measurement, rows }] of filled.entries()) {
          const table = block.tables[i]!;
          expect(table.fields).toStrictEqual(measurement.fields.map(({ name, type }) => ({ name, type })));
          expect([...table.time]).toStrictEqual(rows.map(({ time }) => time));
          expect([...table.series]).toStrictEqual(rows.map(({ series }) => series));
          expect(table.values.map((column) => [...column])).toStrictEqual(
            measurement.fields.map((_, field) => rows.map(({ values }) => values[field])),
          );
          expect(gatewaysOf(table.runs).map((index) => block.gateways[index])).toStrictEqual(
            rows.map(({ gateway }) => input.gatewayName(gateway)),
          );
        }
        const wanted = Map.groupBy(
          filled.flatMap(({ rows }) => rows),
          ({ gateway }) => input.gatewayName(gateway),
        );
        expect(Object.fromEntries(countByGateway(block))).toStrictEqual(
          Object.fromEntries([...wanted].map(([name, rows]) => [name, rows.length])),
        );
      }),
    );
  });

  test("is read in place where it is aligned, and copied where it is not", () => {
    fc.assert(
      fc.property(inputs, fc.integer({ min: 1, max: 16 }), ({ input }, offset) => {
        const bytes = encodeBlock(input);
        const inside = new Uint8Array(bytes.byteLength + offset);
        inside.set(new Uint8Array(bytes), offset);
        const moved = decodeBlock(inside.subarray(offset));
        expect(moved).toStrictEqual(decodeBlock(bytes));
        for (const { time } of moved.tables) expect(time.buffer === inside.buffer).toBe(offset % 8 === 0);
        for (const { time } of decodeBlock(bytes).tables) expect(time.buffer).toBe(bytes);
      }),
    );
  });

  test("that is damaged is a RangeError or another block, never a crash", () => {
    fc.assert(
      fc.property(
        inputs,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        ({ input }, flips, cut) => {
          const bytes = new Uint8Array(encodeBlock(input));
          for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
          const thrown = thrownFor(bytes);
          expect(thrown === undefined || thrown instanceof RangeError).toBe(true);
          expect(() => decodeBlock(bytes.slice(0, cut % bytes.length))).toThrow(RangeError);
        },
      ),
    );
  });

  test("is nothing but a block", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(() => decodeBlock(bytes)).toThrow(RangeError);
      }),
    );
  });

  test("of another version, with bytes after its end, or with runs that do not add up is refused", () => {
    const table = new ReadingTable(catalogue.measurements[0]!);
    table.nextRow();
    table.commitRow(1);
    const good = new Uint8Array(encodeBlock({ tables: [table], newSeries: [], gatewayName: String }));
    expect(decodeBlock(good).readings).toBe(1);
    expect(() => decodeBlock(good.with(0, 2))).toThrow(/version 2/);
    expect(() => decodeBlock(Uint8Array.from([...good, ...new Uint8Array(8)]))).toThrow(
      /after the last table/,
    );
    expect(() => decodeBlock(good.with(good.length - 4, 2))).toThrow(/add up/);
    expect(() => decodeBlock(good.with(good.length - 8, 1))).toThrow(/gateway/);
  });
});

function gatewaysOf(runs: Uint32Array): number[] {
  const gateways: number[] = [];
  for (let i = 0; i < runs.length; i += 2) gateways.push(...Array<number>(runs[i + 1]!).fill(runs[i]!));
  return gateways;
}

/** What `decodeBlock` throws, if it throws. */
function thrownFor(bytes: Uint8Array): unknown {
  try {
    decodeBlock(bytes);
    return undefined;
  } catch (error) {
    return error;
  }
}
