import { expect, test } from "vitest";
import { PieceGatherer, correct, jobStatement } from "#store/influxdb/job-rows.ts";

const sensors = new Map(
  ["s-1", "s-2"].map((sensor, series) => [series, { series, measurement: "m", agency: "a", sensor }]),
);
const columns = ["time", "f", "on"];

function answer(sensor: string, values: readonly (readonly (number | boolean | string | null)[])[]) {
  return { name: "m", tags: { agency: "a", sensor }, columns, values };
}

test("rows come in pieces, and those of one time are one row, also where a piece ends between them", () => {
  const gatherer = new PieceGatherer({ sensors }, 2);
  gatherer.add(
    answer("s-2", [
      [1, 0.5, true],
      [2, null, false],
    ]),
  );
  expect(gatherer.isFull).toBe(false);
  gatherer.add(answer("s-2", [[3, 1, null]]));
  gatherer.add(answer("unknown", [[3, 1, null]]));
  expect(gatherer.isFull).toBe(true);
  expect(gatherer.take(false)).toEqual({
    piece: {
      series: Uint32Array.of(1, 1),
      time: Float64Array.of(1, 2),
      fields: [
        { name: "f", values: Float64Array.of(0.5, Number.NaN) },
        { name: "on", values: Float64Array.of(1, 0) },
      ],
    },
    twofold: new Map(),
  });
  gatherer.add(
    answer("s-2", [
      [3, 2, true],
      [4, "text", null],
    ]),
  );
  gatherer.add(answer("s-1", [[4, 9, null]]));
  const last = gatherer.take(true);
  expect(last.twofold).toEqual(new Map([[1, { from: 3, to: 4 }]]));
  expect([...last.piece.series]).toEqual([1, 1, 0]);
  expect(last.piece.fields.map(({ values }) => [...values])).toEqual([
    [2, Number.NaN, 9],
    [1, Number.NaN, Number.NaN],
  ]);
  correct(last.piece, 1, { fields: ["f", "on"], time: [3], series: [1], values: [[1], [null]] });
  expect(last.piece.fields.map(({ values }) => values[0])).toEqual([1, Number.NaN]);
  expect(gatherer.take(true).piece.time).toHaveLength(0);
});

test("a statement asks for fields alone, of a policy, and names sensors when they are few", () => {
  const query = { policy: "rollup_1m", measurement: "m", from: 0.5, to: 10 } as const;
  expect(jobStatement({ query, sensors, known: 2 })).toBe(
    'SELECT *::field FROM "rollup_1m"."m" WHERE time >= 1ms AND time < 10ms GROUP BY "agency", "sensor"',
  );
  const some = { ...query, policy: "autogen", fields: ['f"'], series: [0] } as const;
  expect(jobStatement({ query: some, sensors: new Map([[0, sensors.get(0)!]]), known: 2 })).toBe(
    String.raw`SELECT "f\""::field FROM "m" WHERE time >= 1ms AND time < 10ms AND (("agency" = 'a' AND "sensor" = 's-1')) ` +
      'GROUP BY "agency", "sensor"',
  );
});
