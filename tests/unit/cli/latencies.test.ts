import { array, assert, double, property } from "fast-check";
import { expect, test } from "vitest";
import { summariseLatencies } from "#cli/bench/latencies.ts";

test("half of the messages were answered within the median, 95 of 100 within p95, 99 within p99", () => {
  const values = Array.from({ length: 1_000 }, (_, i) => 1_000 - i);
  expect(summariseLatencies(values)).toEqual({ p50: 500, p95: 950, p99: 990, max: 1_000 });
});

test("every quantile is a latency that was measured, and so large a share does not exceed it", () => {
  assert(
    property(array(double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
      const { p50, p95, p99, max } = summariseLatencies(values)!;
      const within = (limit: number): number =>
        values.filter((value) => value <= limit).length / values.length;
      expect(values).toEqual(expect.arrayContaining([p50, p95, p99, max]));
      expect(within(p50)).toBeGreaterThanOrEqual(0.5);
      expect(within(p99)).toBeGreaterThanOrEqual(0.99);
      expect(within(max)).toBe(1);
    }),
  );
});

test("without a message there is no latency", () => {
  expect(summariseLatencies([])).toBeUndefined();
});
