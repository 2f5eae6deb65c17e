import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Freshness } from "#store/duckdb/freshness.ts";

function mark(freshness: Freshness, rows: readonly (readonly [series: number, time: number])[]): number[] {
  const isNew = new Uint8Array(rows.length + 2).fill(7);
  freshness.mark(
    "m",
    Float64Array.from(rows, ([, time]) => time),
    Uint32Array.from(rows, ([series]) => series),
    rows.length,
    isNew,
  );
  return [...isNew.subarray(0, rows.length)];
}

test("a reading is new when it is later than all of its series before it", () => {
  const freshness = new Freshness(new Map());
  expect(
    mark(freshness, [
      [1, 10],
      [2, 5],
      [1, 10],
      [1, 9],
      [1, 11],
      [2, 6],
    ]),
  ).toEqual([1, 1, 0, 0, 1, 1]);
  expect(
    mark(freshness, [
      [1, 11],
      [1, 12],
      [2, 6],
      [2, 7],
    ]),
  ).toEqual([0, 1, 0, 1]);
});

test("after a restart only what is later than everything of the measurement is new", () => {
  const freshness = new Freshness(new Map([["m", 100]]));
  expect(
    mark(freshness, [
      [1, 50],
      [2, 100],
      [1, 101],
      [1, 60],
      [2, 102],
    ]),
  ).toEqual([0, 0, 1, 0, 1]);
});

test("a series that begins after the restart need not wait for its measurement's latest time", () => {
  const freshness = new Freshness(new Map([["m", 100]]));
  mark(freshness, [[1, 101]]);
  freshness.begin(1);
  freshness.begin(2);
  freshness.begin(70_000);
  expect(
    mark(freshness, [
      [1, 50],
      [2, 50],
      [70_000, 1],
      [3, 50],
    ]),
  ).toEqual([0, 1, 1, 0]);
});

test("whatever the order, a key is new at most once, and never when it was there before the restart", () => {
  const row = fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 20 }));
  fc.assert(
    fc.property(fc.array(row), fc.array(row), (before, after) => {
      const stored = new Set(before.map(String));
      const floors = before.length === 0 ? [] : [["m", Math.max(...before.map(([, time]) => time))] as const];
      const isNew = mark(new Freshness(new Map(floors)), after);
      const wrong = after.filter((key, i) => {
        const wasThere = stored.has(String(key));
        stored.add(String(key));
        return wasThere && isNew[i] === 1;
      });
      expect(wrong).toEqual([]);
    }),
  );
});
