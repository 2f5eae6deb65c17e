import { array, assert, constantFrom, integer, nat, property, record, string, uniqueArray } from "fast-check";
import { describe, expect, test } from "vitest";
import { SeriesTable } from "#telemetry/series-table.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import { TextColumn, TextIndex } from "#telemetry/text-table.ts";

const key = ({ agency, measurement, sensor }: SeriesEntry): string => `${agency} ${measurement} ${sensor}`;

/** Numbers as they are given, some beside the row. */
const anyEntries = uniqueArray(
  record({
    agency: constantFrom("water", "energy", "مياه"),
    measurement: constantFrom("water_flow", "traffic_flow"),
    sensor: string({ unit: constantFrom("a", "b", "0", ".", ":", "é", "𝄞"), maxLength: 70 }),
    late: constantFrom(0, 0, 0, 0, 1, 4_000_000_000),
  }),
  { selector: (entry) => key({ series: 0, ...entry }), maxLength: 600 },
).map((rows) =>
  rows.map(({ late, ...entry }, number): SeriesEntry => {
    return { ...entry, series: late === 0 ? number : number + late * (late === 1 ? 1_000 : 1) };
  }),
);

describe("the table of series", () => {
  test("answers by number and by name what a plain Map does, through any copies", () => {
    assert(
      property(anyEntries, nat({ max: 600 }), (entries, copiedAfter) => {
        const byNumber = new Map<number, SeriesEntry>();
        const byName = new Map<string, number>();
        let table = new SeriesTable();
        for (const [i, entry] of entries.entries()) {
          if (i === copiedAfter) table = new SeriesTable(structuredClone(table.copy()));
          expect(table.numberOf(entry.agency, entry.measurement, entry.sensor)).toBeUndefined();
          expect(table.has(entry.series)).toBe(false);
          table.add(entry);
          byNumber.set(entry.series, entry);
          byName.set(key(entry), entry.series);
        }
        for (const entry of entries) {
          expect(table.get(entry.series)).toEqual(byNumber.get(entry.series));
          expect(table.numberOf(entry.agency, entry.measurement, entry.sensor)).toBe(byName.get(key(entry)));
        }
        for (const { sensor } of entries.slice(0, 5)) {
          const own = entries.filter((entry) => entry.sensor === sensor);
          expect(new Set(table.ofSensor(sensor))).toEqual(new Set(own));
        }
        expect([...table]).toEqual(entries);
        expect(table.size).toBe(byNumber.size);
        expect(table.next).toBe(Math.max(-1, ...byNumber.keys()) + 1);
      }),
      { numRuns: 50 },
    );
  });

  test("begins with another one exactly when all of that one's entries come first, in its order", () => {
    assert(
      property(anyEntries, nat({ max: 600 }), integer({ min: -1, max: 599 }), (entries, length, changed) => {
        const other = entries.slice(0, length).map((entry, i) => {
          return i === changed ? { ...entry, sensor: `${entry.sensor}x` } : entry;
        });
        const isBeginning = other.every((entry, i) => entry === entries[i]);
        expect(SeriesTable.of(entries).beginsWith(SeriesTable.of(other))).toBe(isBeginning);
      }),
      { numRuns: 50 },
    );
  });

  test("takes less than 60 bytes a series of many, ids of 14 letters, index and all", () => {
    const table = new SeriesTable();
    for (let series = 0; series < 250_000; series += 1)
      table.add({ series, agency: "bench", measurement: "traffic_flow", sensor: `load-1.${1e6 + series}` });
    expect(table.numberOf("bench", "traffic_flow", "load-1.1000000")).toBe(0);
    expect(table.byteLength).toBeLessThan(250_000 * 60);
  });

  test("a series with two numbers makes no index", () => {
    const entry = { agency: "water", measurement: "water_flow", sensor: "w-1" };
    const table = SeriesTable.of([0, 1].map((series) => ({ ...entry, series })));
    expect(() => table.index()).toThrow(RangeError);
  });
});

test("a text index finds what was added and nothing else, whatever comes twice", () => {
  assert(
    property(
      array(string({ maxLength: 3 }), { maxLength: 2_000 }),
      array(string({ maxLength: 3 })),
      (texts, asked) => {
        const index = new TextIndex(new TextColumn());
        const known = new Map<string, number>();
        for (const text of texts.map((text) => text.toWellFormed())) {
          const number = known.get(text) ?? known.size;
          expect(index.find(text)).toBe(known.get(text) ?? -1);
          expect(index.add(text)).toBe(number);
          known.set(text, number);
        }
        for (const text of asked.map((text) => text.toWellFormed()))
          expect(index.find(text)).toBe(known.get(text) ?? -1);
      },
    ),
    { numRuns: 50 },
  );
});
