import { expect, test } from "vitest";
import { backOffDelay, refusedDelay } from "#edge-agent/back-off.ts";

const bounds = { min: 250, max: 30_000 };

test("the wait's ceiling doubles with each failure up to the maximum, and the wait is anywhere below it", () => {
  const ceilings = [1, 2, 3, 7, 8, 2000].map((failures) => backOffDelay(failures, bounds, 1));
  expect(ceilings).toEqual([250, 500, 1000, 16_000, 30_000, 30_000]);
  expect(backOffDelay(5, bounds, 0)).toBe(0);
});

test("after refused credentials the wait is long at once", () => {
  expect(refusedDelay(bounds, 0)).toBe(15_000);
  expect(refusedDelay(bounds, 1)).toBe(30_000);
});
