import * as fc from "fast-check";
import { expect, test } from "vitest";
import { liveSchedule } from "#firmware-sim/live-schedule.ts";

test("each device is due once a period, evenly spread, after the given time", () => {
  const schedule = liveSchedule(5, 10_000, 1_000_003_000);
  const turns = Array.from({ length: 6 }, () => [schedule.nextDue, schedule.take()]);
  expect(turns).toEqual([
    [1_000_004_000, 2],
    [1_000_006_000, 3],
    [1_000_008_000, 4],
    [1_000_010_000, 0],
    [1_000_012_000, 1],
    [1_000_014_000, 2],
  ]);
});

test("due times do not depend on when the schedule was begun", () => {
  const arguments_ = [
    fc.integer({ min: 1, max: 200 }),
    fc.integer({ min: 100, max: 60_000 }),
    fc.nat(1_000_000),
    fc.nat(50),
  ] as const;
  fc.assert(
    fc.property(...arguments_, (devices, period, after, skip) => {
      const whole = liveSchedule(devices, period, after);
      let last = after;
      for (let i = 0; i < skip; i += 1) {
        expect(whole.nextDue).toBeGreaterThanOrEqual(last);
        last = whole.nextDue;
        whole.take();
      }
      // Devices that share a millisecond speak together, so begin again between two due times only.
      fc.pre(whole.nextDue > last);
      const again = liveSchedule(devices, period, last);
      for (let i = 0; i < devices; i += 1)
        expect([again.nextDue, again.take()]).toEqual([whole.nextDue, whole.take()]);
    }),
  );
});
