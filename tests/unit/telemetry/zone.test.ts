import * as fc from "fast-check";
import { expect, test } from "vitest";
import { makeZone } from "#telemetry/zone.ts";

const hour = 3_600_000;

test("an instant's wall time leads back to the instant, in every zone", () => {
  const zones = [
    "Asia/Qatar",
    "America/New_York",
    "Europe/Rome",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "UTC",
  ].map(makeZone);
  const utc = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2040, 0) });
  fc.assert(
    fc.property(fc.constantFrom(...zones), utc, (zone, instant) => {
      expect(zone.instantsOf(instant + zone.offsetAt(instant))).toContain(instant);
    }),
  );
});

test("every wall time has one instant, two in ascending order, or none", () => {
  const zone = makeZone("Europe/Rome");
  const repeated = Date.UTC(2021, 9, 31, 2, 30);
  expect(zone.instantsOf(repeated)).toEqual([repeated - 2 * hour, repeated - hour]);
  const skipped = Date.UTC(2021, 2, 28, 2, 30);
  expect(zone.instantsOf(skipped)).toEqual([]);
  expect(zone.instantOfSkipped(skipped)).toBe(skipped - hour);
  expect(zone.instantsOf(skipped + hour)).toEqual([skipped - hour]);
});

test("Qatar is three hours ahead all year", () => {
  const zone = makeZone("Asia/Qatar");
  expect([0, 3, 6, 9].map((month) => zone.offsetAt(Date.UTC(2026, month, 15)) / hour)).toEqual([3, 3, 3, 3]);
});

test("an unknown zone is refused", () => {
  expect(() => makeZone("Asia/Atlantis")).toThrow(RangeError);
});
