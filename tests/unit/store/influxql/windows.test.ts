import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Windows } from "#store/influxql/windows.ts";

const hour = 3_600_000;

test.each([
  ["a day of 23 hours", "Europe/Paris", 24, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", 23],
  ["a day of 25 hours", "Europe/Paris", 24, "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", 25],
  [
    "a day that begins on the city's clocks",
    "Asia/Qatar",
    24,
    "2026-01-01T22:00:00Z",
    "2026-01-01T21:00:00Z",
    24,
  ],
  [
    "6 hours with the hour that is skipped",
    "Europe/Paris",
    6,
    "2026-03-29T02:00:00Z",
    "2026-03-28T23:00:00Z",
    5,
  ],
  [
    "2 hours with the hour that comes twice",
    "Europe/Paris",
    2,
    "2026-10-25T01:30:00Z",
    "2026-10-25T00:00:00Z",
    3,
  ],
  [
    "an hour, which no change makes longer",
    "Europe/Paris",
    1,
    "2026-10-25T01:30:00Z",
    "2026-10-25T01:00:00Z",
    1,
  ],
] as const)("%s", (_name, zone, hours, time, start, length) => {
  const windows = new Windows({ every_ms: hours * hour, offset_ms: 0, zone });
  expect(new Date(windows.startOf(Date.parse(time))).toISOString()).toBe(new Date(start).toISOString());
  expect(windows.endOf(Date.parse(time)) - windows.startOf(Date.parse(time))).toBe(length * hour);
});

test("each moment is in one window, and the next begins where it ends", () => {
  const year = Date.UTC(2026, 0, 1);
  fc.assert(
    fc.property(
      fc.integer({ min: -hour * 100, max: 366 * 24 * hour }),
      fc.constantFrom(60_000, 7 * 60_000, hour, 2 * hour, 5 * hour, 6 * hour, 24 * hour, 7 * 24 * hour),
      fc.integer({ min: -hour, max: hour }),
      fc.constantFrom(undefined, "UTC", "Asia/Qatar", "Asia/Kolkata", "Europe/Paris", "America/New_York"),
      (after, every_ms, offset_ms, zone) => {
        const windows = new Windows({ every_ms, offset_ms, ...(zone !== undefined && { zone }) });
        const time = year + after;
        const start = windows.startOf(time);
        const end = windows.endOf(time);
        expect(start).toBeLessThanOrEqual(time);
        expect(end).toBeGreaterThan(time);
        expect([windows.startOf(start), windows.startOf(end - 1), windows.startOf(end)]).toEqual([
          start,
          start,
          end,
        ]);
      },
    ),
    { numRuns: 2_000 },
  );
});
