import { array, assert, integer, nat, property } from "fast-check";
import { expect, test } from "vitest";
import { BatchSorter, divide, seriesAt } from "#store/influxdb/batch-order.ts";
import type { Block, BlockTable } from "#telemetry/block.ts";

function table(series: readonly number[]): BlockTable {
  const rows = series.length;
  return {
    measurement: "traffic_flow",
    fields: [],
    rows,
    time: new Float64Array(rows),
    series: Uint32Array.from(series),
    values: [],
    runs: Uint32Array.of(0, rows),
  };
}

const blocks = array(array(array(nat(30), { maxLength: 20 }), { maxLength: 3 }), { maxLength: 4 }).map(
  (all) =>
    all.map((tables): Block => ({
      newSeries: [],
      gateways: ["gw"],
      tables: tables.map(table),
      readings: tables.flat().length,
    })),
);

test("a batch in order has each row once, by series, and within a series in the order of arrival", () => {
  const sorter = new BatchSorter();
  assert(
    property(blocks, (batch) => {
      const order = sorter.sort(batch);
      const arrived = batch.flatMap(({ tables }, block) =>
        tables.flatMap(({ series }, index) =>
          Array.from(series, (number, row) => ({ number, block, index, row })),
        ),
      );
      const sorted = Array.from({ length: order.rows }, (_, at) => {
        const { block, index } = order.tables[order.tableOf[at]!]!;
        return { number: seriesAt(order, at), block, index, row: order.rowOf[at]! };
      });
      expect(sorted).toEqual(arrived.toSorted((a, b) => a.number - b.number));
    }),
  );
});

test("a batch is divided between series, into parts that together are all of it", () => {
  const sorter = new BatchSorter();
  assert(
    property(blocks, integer({ min: 1, max: 4 }), (batch, parts) => {
      const order = sorter.sort(batch);
      const ends = divide(order, parts);
      expect(ends).toHaveLength(parts);
      expect(ends.at(-1)).toBe(order.rows);
      const within = ends.filter((end) => end > 0 && end < order.rows);
      expect(within.filter((end) => seriesAt(order, end) === seriesAt(order, end - 1))).toEqual([]);
      expect(ends).toEqual(ends.toSorted((a, b) => a - b));
    }),
  );
});
