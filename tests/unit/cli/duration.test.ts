import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseDuration } from "#cli/duration.ts";

test.each([
  ["30d", 30 * 86_400_000],
  ["12h", 12 * 3_600_000],
  ["90m", 90 * 60_000],
  ["1.5h", 5_400_000],
  ["2w", 14 * 86_400_000],
  ["250ms", 250],
  ["0", 0],
])("%s is %i ms", (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each(["", "30", "d", "30 d", "-1d", "3x", "1e3s", "30dd"])("%j is no duration", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test("never throws, and what it takes is finite and not negative", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const duration = parseDuration(text) ?? 0;
      expect(Number.isFinite(duration) && duration >= 0).toBe(true);
    }),
  );
});
