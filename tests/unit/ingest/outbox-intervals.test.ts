import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasCode } from "#runtime/errors.ts";
import { IntervalSet } from "#ingest/outbox-intervals.ts";

const limit = 2 ** 53;

/** Ranges close together, so that they meet, touch and repeat. */
const range = fc.tuple(fc.nat(60), fc.nat(12)).map(([from, length]) => [from, from + length] as const);

/** The plainest set that does the same. */
class Model {
  readonly numbers = new Set<number>();

  add(from: number, to: number): number {
    const before = this.numbers.size;
    for (let n = from; n < to; n += 1) this.numbers.add(n);
    return this.numbers.size - before;
  }

  get highest(): number {
    return Math.max(-1, ...this.numbers);
  }

  gaps(): { from: number; to: number }[] {
    const gaps: { from: number; to: number }[] = [];
    for (let n = 0; n < this.highest; n += 1) {
      if (this.numbers.has(n)) continue;
      const last = gaps.at(-1);
      if (last?.to === n) last.to = n + 1;
      else gaps.push({ from: n, to: n + 1 });
    }
    return gaps;
  }
}

describe("a set of reading numbers", () => {
  test("answers like a plain set, whatever is added in whatever order", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), fc.array(range, { maxLength: 10 }), (adds, asks) => {
        const set = new IntervalSet();
        const model = new Model();
        for (const [from, to] of adds) expect(set.add(from, to)).toBe(model.add(from, to));
        expect(set.size).toBe(model.numbers.size);
        expect(set.highest).toBe(model.highest);
        expect(set.gaps(Infinity)).toEqual(model.gaps());
        expect(set.missing).toBe(set.highest + 1 - set.size);
        for (const [from, to] of asks) {
          const asked = Array.from({ length: to - from }, (_, i) => model.numbers.has(from + i));
          expect(set.covers(from, to)).toBe(asked.every(Boolean));
          expect(set.overlaps(from, to)).toBe(asked.some(Boolean));
          expect(set.has(from)).toBe(model.numbers.has(from));
        }
      }),
    );
  });

  test("keeps its intervals sorted, disjoint and apart", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), (adds) => {
        const set = new IntervalSet();
        for (const [from, to] of adds) set.add(from, to);
        let previous = -1;
        for (const { from, to } of set.intervals()) {
          expect(from).toBeGreaterThan(previous);
          expect(to).toBeGreaterThan(from);
          previous = to;
        }
        expect(set.forgotten).toBe(0);
      }),
    );
  });

  test("beyond its bound it forgets, and never claims a number that was not added", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 60 }), fc.integer({ min: 2, max: 5 }), (adds, bound) => {
        const set = new IntervalSet(bound);
        const model = new Model();
        for (const [from, to] of adds) {
          set.add(from, to);
          model.add(from, to);
          expect(set.covers(from, to)).toBe(true);
          expect(set.intervalCount).toBeLessThanOrEqual(bound);
        }
        for (const { from, to } of set.intervals()) {
          for (let n = from; n < to; n += 1) expect(model.numbers.has(n)).toBe(true);
        }
        expect(set.highest).toBe(model.highest);
        expect(set.missing).toBe(set.highest + 1 - set.size);
        expect(set.size + set.forgotten).toBeGreaterThanOrEqual(model.numbers.size);
      }),
    );
  });

  test("gives up the shortest interval first, the lowest of equals, and says how many numbers that were", () => {
    const set = new IntervalSet(3);
    set.add(0, 100);
    set.add(110, 112);
    set.add(120, 122);
    expect(set.add(130, 131)).toBe(1);
    expect([...set.intervals()]).toEqual([
      { from: 0, to: 100 },
      { from: 120, to: 122 },
      { from: 130, to: 131 },
    ]);
    expect(set.forgotten).toBe(2);
    expect(set.gaps(1)).toEqual([{ from: 100, to: 120 }]);
    expect(set.add(110, 112)).toBe(2);
  });

  test("still knows the highest number when its own interval was given up", () => {
    const set = new IntervalSet(2);
    set.add(0, 10);
    set.add(50, 51);
    set.add(20, 30);
    expect(set.has(50)).toBe(false);
    expect(set.highest).toBe(50);
    expect(set.gaps(5)).toEqual([
      { from: 10, to: 20 },
      { from: 30, to: 51 },
    ]);
    expect(IntervalSet.fromJSON(set.toJSON(), 2)).toEqual(set);
  });

  test("reaches up to 2^53 exactly", () => {
    const set = new IntervalSet();
    expect(set.add(limit - 2, limit)).toBe(2);
    expect(set.add(0, limit - 2)).toBe(limit - 2);
    expect(set.missing).toBe(0);
    expect(set.highest).toBe(limit - 1);
    expect(set.has(limit - 1)).toBe(true);
  });

  test.each([
    [-1, 2],
    [3, 2],
    [0, limit + 2],
    [0.5, 2],
    [Number.NaN, 2],
  ])("refuses [%s, %s) as a mistake of the caller", (from, to) => {
    expect(() => new IntervalSet().add(from, to)).toThrow(RangeError);
  });
});

describe("a set of reading numbers on disk", () => {
  test("comes back as it was", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), fc.integer({ min: 2, max: 9 }), (adds, bound) => {
        const set = new IntervalSet(bound);
        for (const [from, to] of adds) set.add(from, to);
        const back = IntervalSet.fromJSON(JSON.parse(JSON.stringify(set)), bound);
        expect(back.toJSON()).toEqual(set.toJSON());
        expect([back.size, back.missing, back.highest]).toEqual([set.size, set.missing, set.highest]);
      }),
    );
  });

  test.each([
    ["nothing", undefined],
    ["an end below the last interval", { end: 3, forgotten: 0, runs: [0, 4] }],
    ["an empty interval", { end: 9, forgotten: 0, runs: [0, 0] }],
    ["intervals that touch", { end: 9, forgotten: 0, runs: [0, 2, 0, 2] }],
    ["half an interval", { end: 9, forgotten: 0, runs: [0, 2, 1] }],
    ["too many intervals", { end: 99, forgotten: 0, runs: [0, 2, 1, 1, 1, 1] }],
    ["a fraction", { end: 9, forgotten: 0, runs: [0.5, 2] }],
    ["a negative number", { end: 9, forgotten: -1, runs: [] }],
    ["a sum that no double says", { end: limit, forgotten: 0, runs: [1, limit] }],
    ["a key it does not know", { end: 9, forgotten: 0, runs: [], more: 1 }],
  ])("is refused with %s", (_, json) => {
    expect(() => IntervalSet.fromJSON(json, 2)).toThrow(expect.objectContaining({ code: "QUEUE_CORRUPT" }));
  });

  test("is refused, or means itself, whatever the JSON", () => {
    const numbers = fc.oneof(
      fc.nat(20),
      fc.double().map((n) => n + 0),
      fc.constant(limit),
    );
    const json = fc.record({ end: numbers, forgotten: numbers, runs: fc.array(numbers, { maxLength: 8 }) });
    fc.assert(
      fc.property(json, (value) => {
        try {
          expect(IntervalSet.fromJSON(value, 3).toJSON()).toEqual(value);
        } catch (error) {
          if (!hasCode(error, "QUEUE_CORRUPT")) throw error;
        }
      }),
    );
  });
});
