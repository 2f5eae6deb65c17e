import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mergeOrder } from "#store/influxql/merge-order.ts";
import { Work } from "#store/influxql/work.ts";

test("rows of several runs come in order of time, and of equal times in the order of the runs", async () => {
  const run = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.array(run, { maxLength: 8 }), fc.boolean(), async (runs, isAscending) => {
      const sorted = runs.map((times) => times.toSorted((a, b) => (isAscending ? a - b : b - a)));
      const time = Float64Array.from(sorted.flat());
      const work = new Work({ values: 1_000, windows: 1_000 }, new AbortController().signal);
      const expected = [...time.keys()].sort((a, b) => {
        const order = (time[a] ?? 0) - (time[b] ?? 0);
        return (isAscending ? order : -order) || a - b;
      });
      const lengths = sorted.map(({ length }) => length);
      expect([...(await mergeOrder(time, lengths, isAscending, work))]).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test("long work gives way, and ends when it is not wanted any more", async () => {
  const controller = new AbortController();
  const work = new Work({ values: 1, windows: 1 }, controller.signal);
  let turns = 0;
  let done = 0;
  const others = setInterval(() => turns++, 0);
  await work.inTurns(1_000_000, (from, to) => {
    done += to - from;
    const until = performance.now() + 3;
    while (performance.now() < until);
  });
  clearInterval(others);
  expect(done).toBe(1_000_000);
  expect(turns).toBeGreaterThan(3);
  const steps = work.inTurns(1_000_000, () => controller.abort(new Error("gone")));
  await expect(steps).rejects.toThrow("gone");
});
