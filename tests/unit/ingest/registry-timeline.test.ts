import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxVersions, setFrom, valueAt } from "#ingest/registry/timeline.ts";
import type { Timeline } from "#ingest/registry/timeline.ts";

const change = fc.record({ from: fc.nat(30), value: fc.nat(3) });
const changes = fc.array(change, { maxLength: 20 });

function made(all: readonly { from: number; value: number }[]): Timeline<number> {
  return all.reduce<Timeline<number>>((timeline, { from, value }) => setFrom(timeline, from, value), []);
}

describe("a timeline", () => {
  test("says what was said last for every time, as a plain list of statements would", () => {
    fc.assert(
      fc.property(changes, fc.nat(40), (all, time) => {
        const last = all.findLast(({ from }) => from <= time);
        expect(valueAt(made(all), time)).toBe(last?.value);
      }),
    );
  });

  test("leaves the times before a change as they were", () => {
    fc.assert(
      fc.property(changes, change, fc.nat(40), (all, { from, value }, time) => {
        const before = made(all);
        const after = setFrom(before, from, value);
        expect(valueAt(after, time)).toBe(time < from ? valueAt(before, time) : value);
      }),
    );
  });

  test("is the very same when the same is said again", () => {
    fc.assert(
      fc.property(changes, change, (all, { from, value }) => {
        const once = setFrom(made(all), from, value);
        expect(setFrom(once, from, value)).toBe(once);
      }),
    );
  });

  test("rises, and its neighbours differ", () => {
    fc.assert(
      fc.property(changes, (all) => {
        const timeline = made(all);
        for (let i = 1; i < timeline.length; i += 1) {
          expect(timeline[i]!.valid_from).toBeGreaterThan(timeline[i - 1]!.valid_from);
          expect(timeline[i]!.value).not.toBe(timeline[i - 1]!.value);
        }
      }),
    );
  });

  test("of something that flaps keeps its newest versions and reaches back as far as before", () => {
    let timeline: Timeline<number> = [];
    for (let time = 0; time < maxVersions + 50; time += 1) timeline = setFrom(timeline, 1000 + time, time);
    expect(timeline).toHaveLength(maxVersions);
    expect(timeline.at(-1)).toEqual({ valid_from: 1000 + maxVersions + 49, value: maxVersions + 49 });
    expect(timeline[0]).toEqual({ valid_from: 1000, value: 50 });
  });
});
