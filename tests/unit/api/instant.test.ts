import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseInstant } from "#api/instant.ts";

/** 1980 to 2199, in whole milliseconds. */
const instant = fc.integer({ min: Date.UTC(1980, 0), max: Date.UTC(2199, 11) });

describe("parseInstant", () => {
  test("reads RFC 3339 in any offset, and milliseconds, as the same instant", () => {
    fc.assert(
      fc.property(instant, fc.integer({ min: -12 * 60, max: 14 * 60 }), (time, offset) => {
        const local = new Date(time + offset * 60_000).toISOString().slice(0, -1);
        const size = Math.abs(offset);
        const hhmm = [Math.floor(size / 60), size % 60]
          .map((part) => String(part).padStart(2, "0"))
          .join(":");
        const sign = offset < 0 ? "-" : "+";
        const expected = { ok: true, time };
        expect(parseInstant(`${local}${sign}${hhmm}`)).toEqual(expected);
        expect(parseInstant(new Date(time).toISOString())).toEqual(expected);
        expect(parseInstant(String(time))).toEqual(expected);
      }),
    );
  });

  test("an unencoded plus, which arrives as a space, is still a plus", () => {
    expect(parseInstant("2026-01-31T08:00:00 03:00")).toEqual({
      ok: true,
      time: Date.UTC(2026, 0, 31, 5),
    });
  });

  test("never throws, and what it takes is a time a Date can hold", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.nat().map(String)), (text) => {
        const parsed = parseInstant(text);
        expect(parsed.ok ? new Date(parsed.time).getTime() === parsed.time : parsed.detail !== "").toBe(true);
      }),
    );
  });

  test.each([
    ["1767225600", "seconds"],
    ["1767225600000000", "micro- or nanoseconds"],
    ["2026-01-31", "not a time"],
    ["2026-01-31T08:00:00", "no offset"],
    ["-1h", "not a time"],
    ["", "not a time"],
  ])("refuses %j, saying why", (text, why) => {
    const parsed = parseInstant(text);
    expect(parsed.ok).toBe(false);
    expect(!parsed.ok && parsed.detail).toContain(why);
  });

  test("0 is the beginning of time", () => {
    expect(parseInstant("0")).toEqual({ ok: true, time: 0 });
  });
});
