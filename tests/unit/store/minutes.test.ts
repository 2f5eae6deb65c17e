import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MeasurementMinutes, gathered, spread } from "#store/minutes.ts";

const minute = 60_000;
const hour = 60 * minute;

function texts(
  minutes: Iterable<{ measurement: string; hour: number; low: number; high: number }>,
): string[] {
  return Array.from(minutes)
    .flatMap(({ measurement, hour: begin, ...bits }) =>
      [...spread(bits, new Uint8Array(60))].flatMap((is, at) =>
        is === 1 ? [`${measurement} ${begin + at * minute}`] : [],
      ),
    )
    .toSorted();
}

function text([measurement, at]: readonly [string, number, boolean]): string {
  return `${measurement} ${Math.floor(at / minute) * minute}`;
}

test("the minutes of any times are those of the new rows, and only what is not known is news", () => {
  const time = fc.oneof(
    fc.integer({ min: -3 * hour, max: 3 * hour }),
    fc.constantFrom(0, -1, hour - 1, hour, 30 * minute, 30 * minute - 1),
  );
  const row = fc.tuple(fc.constantFrom("a", "b"), time, fc.boolean());
  fc.assert(
    fc.property(fc.array(row), fc.array(row), (rows, before) => {
      const known = new MeasurementMinutes();
      for (const [measurement, at] of before) known.of(measurement).add(at);
      const minutes = new MeasurementMinutes();
      for (const [measurement, all] of Map.groupBy(rows, ([name]) => name)) {
        const isNew = Uint8Array.from(all, ([, , is]) => Number(is));
        minutes.of(measurement).addNew(
          Float64Array.from(all, ([, at]) => at),
          isNew,
          all.length,
        );
      }
      const old = new Set(before.map(text));
      const expected = new Set(rows.filter((each) => each[2]).map(text));
      expect(texts(minutes.without(known))).toEqual(
        [...expected].filter((each) => !old.has(each)).toSorted(),
      );
    }),
  );
});

test("minutes of an hour are gathered as they are spread", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 1), { minLength: 60, maxLength: 60 }), (bits) => {
      const minutes = Uint8Array.from(bits);
      expect(spread(gathered(minutes), new Uint8Array(60))).toEqual(minutes);
    }),
  );
});
