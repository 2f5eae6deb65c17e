import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Columns } from "#store/duckdb/columns.ts";
import { fold, headsOf } from "#store/duckdb/fold.ts";

const absent = Number.NaN;
type Row = readonly [series: number, time: number, ...values: number[]];

function columnsOf(rows: readonly Row[], fields: number): Columns {
  const columns = new Columns(fields, 0);
  for (const [series, time, ...values] of rows) {
    const one = {
      time: Float64Array.of(time),
      series: Uint32Array.of(series),
      values: values.map((value) => Float64Array.of(value)),
    };
    columns.append(
      one,
      0,
      1,
      values.map((_, i) => i),
    );
  }
  return columns;
}

/** Folds `rows` over a table that holds `before`. */
function folded(
  before: readonly Row[],
  rows: readonly Row[],
  fields: number,
): {
  inserts: Row[];
  updates: Row[];
  fates: string[];
} {
  const late = columnsOf(rows, fields);
  const found = new Uint8Array(rows.length);
  const values = Array.from({ length: fields }, () => new Float64Array(rows.length));
  for (const [row, [series, time]] of rows.entries()) {
    const there = before.find((other) => other[0] === series && other[1] === time);
    if (there === undefined) continue;
    found[row] = 1;
    for (let field = 0; field < fields; field++) values[field]![row] = there[field + 2]!;
  }
  const fates: string[] = [];
  const { inserts, updates } = fold(
    late,
    headsOf(late),
    { found, values },
    {
      isNew: (row) => (fates[row] = "new"),
      isMerged: (row) => (fates[row] = "merged"),
      isDuplicate: (row) => (fates[row] = "duplicate"),
    },
  );
  const rowAt = (row: number): Row => [
    late.series[row]!,
    late.time[row]!,
    ...late.values.map((column) => column[row]!),
  ];
  return { inserts: inserts.map(rowAt), updates: updates.map(rowAt), fates };
}

test("a present field wins over what was there, an absent one keeps it", () => {
  expect(folded([[1, 10, 5, 6]], [[1, 10, absent, 7]], 2)).toEqual({
    inserts: [],
    updates: [[1, 10, 5, 7]],
    fates: ["merged"],
  });
});

test("a reading that changes nothing is a duplicate and writes nothing", () => {
  expect(folded([[1, 10, 5, absent]], [[1, 10, 5, absent]], 2)).toEqual({
    inserts: [],
    updates: [],
    fates: ["duplicate"],
  });
});

test("a new key that comes several times is inserted once, as its arrivals leave it", () => {
  const rows: Row[] = [
    [1, 10, 5, absent],
    [1, 10, absent, 6],
    [1, 10, 5, 6],
    [1, 10, 4, absent],
  ];
  expect(folded([], rows, 2)).toEqual({
    inserts: [[1, 10, 4, 6]],
    updates: [],
    fates: ["new", "merged", "duplicate", "merged"],
  });
});

test("a field that changes back is written all the same", () => {
  const outcome = folded(
    [[1, 10, 5]],
    [
      [1, 10, 6],
      [1, 10, 5],
    ],
    1,
  );
  expect(outcome).toEqual({ inserts: [], updates: [[1, 10, 5]], fates: ["merged", "merged"] });
});

test("any arrivals over any table come to what a Map would hold", () => {
  const value = fc.constantFrom(absent, 0, 1, 2);
  const row = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }), value, value);
  const before = fc.uniqueArray(row, { selector: ([series, time]) => `${series}/${time}`, maxLength: 8 });
  fc.assert(
    fc.property(before, fc.array(row, { maxLength: 30 }), (table, arrivals) => {
      const model = new Map(
        table.map((there): [string, number[]] => [`${there[0]}/${there[1]}`, there.slice(2)]),
      );
      const kept = new Map(model);
      const fates = arrivals.map(([series, time, ...values]) => {
        const key = `${series}/${time}`;
        const old = model.get(key);
        const next = values.map((given, field) => (Number.isNaN(given) ? (old?.[field] ?? absent) : given));
        model.set(key, next);
        if (old === undefined) return "new";
        return next.some((given, field) => !Object.is(given, old[field])) ? "merged" : "duplicate";
      });
      const outcome = folded(table, arrivals, 2);
      expect(outcome.fates).toEqual(fates);
      for (const [series, time, ...values] of outcome.inserts) {
        expect(kept.has(`${series}/${time}`)).toBe(false);
        kept.set(`${series}/${time}`, values);
      }
      for (const [series, time, ...values] of outcome.updates) {
        expect(kept.has(`${series}/${time}`)).toBe(true);
        kept.set(`${series}/${time}`, values);
      }
      expect(kept).toEqual(model);
    }),
  );
});

test("heads tell keys apart that differ in series or time alone, also in large batches", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 0xffff_ffff }), fc.integer({ min: -1e12, max: 4e12 })), {
        minLength: 1,
        maxLength: 300,
      }),
      (keys) => {
        const rows = [...keys, ...keys];
        const firsts = new Map<string, number>();
        const expected = rows.map(([series, time], row) => {
          const key = `${series}/${time}`;
          if (!firsts.has(key)) firsts.set(key, row);
          return firsts.get(key)!;
        });
        expect([...headsOf(columnsOf(rows, 0))]).toEqual(expected);
      },
    ),
  );
});
