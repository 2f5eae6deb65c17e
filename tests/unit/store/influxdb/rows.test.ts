import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RowCounter, RowMerger, countStatement, needsTags, selectStatement } from "#store/influxdb/rows.ts";
import { literal, quoted } from "#store/influxdb/query.ts";

const sensors = new Map(
  [0, 1, 2].map((series) => [series, { measurement: "m", agency: "a", sensor: `s-${series}` }]),
);
const plan = (limit: number, order: "asc" | "desc" = "asc") =>
  ({
    query: { measurement: "m", series: [0, 1, 2], from: 0, to: 1e13, limit, order },
    fields: ["x", "y"],
    sensors,
    known: 3,
  }) as const;
const columns = ["time", "x", "y", "agency", "sensor"];

test("rows of one time stand in order of series, whatever order they come in and in whatever pieces", () => {
  const row = fc.record({ time: fc.nat(4), series: fc.nat(2) });
  fc.assert(
    fc.property(
      fc.uniqueArray(row, { selector: ({ time, series }) => time * 3 + series, maxLength: 15 }),
      fc.nat(16),
      fc.integer({ min: 1, max: 4 }),
      (rows, limit, piece) => {
        const coming = rows.toSorted((a, b) => a.time - b.time);
        const merger = new RowMerger(plan(limit));
        for (let at = 0; at < coming.length; at += piece) {
          const values = coming
            .slice(at, at + piece)
            .map(({ time, series }) => [time, time * 10 + series, null, "a", `s-${series}`]);
          if (merger.add({ name: "m", columns, values }) === "enough") break;
        }
        const expected = rows.toSorted((a, b) => a.time - b.time || a.series - b.series).slice(0, limit);
        const found = merger.end();
        expect(found.time).toEqual(expected.map(({ time }) => time));
        expect(found.series).toEqual(expected.map(({ series }) => series));
        expect(found.values).toEqual([
          expected.map(({ time, series }) => time * 10 + series),
          expected.map(() => null),
        ]);
      },
    ),
  );
});

test("two rows of one series and time want all tags, and then become one: the present tag set wins", () => {
  const twice = [
    [5, 1, 2, "a", "s-1"],
    [5, 3, null, "a", "s-1"],
  ];
  expect(new RowMerger(plan(10)).add({ name: "m", columns, values: twice })).toBe(needsTags);
  for (const now of ["old", "new"]) {
    const merger = new RowMerger(plan(10), (_, __, { site }) => site === now);
    merger.add({
      name: "m",
      columns: [...columns, "site"],
      values: [
        [...twice[0]!, "new"],
        [...twice[1]!, "old"],
      ],
    });
    expect(merger.end().values).toEqual(now === "new" ? [[1], [2]] : [[3], [2]]);
  }
});

test("a counter counts a series and time once, under however many tag sets", () => {
  const counter = new RowCounter();
  counter.add({
    name: "m",
    columns,
    values: [
      [1, 1, 1, "a", "s-1"],
      [1, 1, 1, "b", "s-1"],
    ],
  });
  counter.add({
    name: "m",
    columns,
    values: [
      [1, 2, null, "a", "s-1"],
      [2, 1, 1, "a", "s-1"],
    ],
  });
  expect(counter.count).toBe(3);
});

test("statements quote what they name, and stay within the times that InfluxDB can say", () => {
  expect(selectStatement(plan(10, "desc"), false)).toBe(
    `SELECT "x", "y", "agency", "sensor" FROM "m" WHERE time >= 0ms AND time < 9223372036854ms AND ` +
      `(("agency" = 'a' AND "sensor" = 's-0') OR ("agency" = 'a' AND "sensor" = 's-1') OR ("agency" = 'a' AND "sensor" = 's-2')) ORDER BY time DESC`,
  );
  expect(countStatement("m", ["x"])).toMatch(
    /^SELECT "x", "agency", "sensor" FROM "m" WHERE time >= -9223372036854ms/,
  );
  expect(quoted('a"b\\c')).toBe('"a\\"b\\\\c"');
  expect(literal("it's \\")).toBe("'it\\'s \\\\'");
});
