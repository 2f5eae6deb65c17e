import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseStamp, StampResolver } from "#firmware-sim/replay-time.ts";
import { makeZone } from "#telemetry/zone.ts";

const hour = 3_600_000;

/** The instants of stamps read in this order. */
function instants(zone: string, stamps: readonly string[], interval_ms = 0): string[] {
  const resolver = new StampResolver(makeZone(zone), interval_ms);
  return stamps.map((text) => new Date(resolver.resolve(parseStamp(text)!).utc).toISOString().slice(0, 16));
}

describe("a stamp", () => {
  test.each([
    ["2016-10-01 00:00:00", { kind: "wall", wall: Date.UTC(2016, 9, 1) }],
    ["2021-01-01 00:00", { kind: "wall", wall: Date.UTC(2021, 0, 1) }],
    ["2021-01-01", { kind: "wall", wall: Date.UTC(2021, 0, 1) }],
    ["2021-01-01T10:20:30.1239", { kind: "wall", wall: Date.UTC(2021, 0, 1, 10, 20, 30, 123) }],
    ["2021-01-01T10:20:30Z", { kind: "instant", utc: Date.UTC(2021, 0, 1, 10, 20, 30) }],
    ["2021-01-01T10:20+03:00", { kind: "instant", utc: Date.UTC(2021, 0, 1, 7, 20) }],
    ["2021-01-01 10:20:00 -0530", { kind: "instant", utc: Date.UTC(2021, 0, 1, 15, 50) }],
    ["2021-01-01 10:20:00+03", { kind: "instant", utc: Date.UTC(2021, 0, 1, 7, 20) }],
  ])("%s is read", (text, expected) => {
    expect(parseStamp(text)).toEqual(expected);
  });

  test.each([
    "",
    "2021-02-30 00:00",
    "2021-13-01",
    "2021-01-01 24:00",
    "01/02/2021",
    "2021-01-01 10",
    "2021-01-01T10:20+99:00",
    "now",
  ])("%j is none", (text) => {
    expect(parseStamp(text)).toBeUndefined();
  });

  test("of any text never throws, and of any instant comes back", () => {
    expect(() => fc.assert(fc.property(fc.string(), (text) => void parseStamp(text)))).not.toThrow();
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true }), (date) => {
        expect(parseStamp(date.toISOString())).toEqual({ kind: "instant", utc: date.getTime() });
      }),
    );
  });
});

describe("local time", () => {
  test("the hour that repeats: the first row is the earlier instant, the second the later one", () => {
    expect(
      instants("Europe/Rome", [
        "2021-10-31 01:00",
        "2021-10-31 02:00",
        "2021-10-31 02:00",
        "2021-10-31 03:00",
      ]),
    ).toEqual(["2021-10-30T23:00", "2021-10-31T00:00", "2021-10-31T01:00", "2021-10-31T02:00"]);
  });

  test("rows within the repeated hour follow one another although one is missing from its first pass", () => {
    const stamps = ["02:00", "02:30", "02:45", "02:00", "02:15", "02:30"].map((time) => `2021-10-31 ${time}`);
    expect(instants("Europe/Rome", stamps)).toEqual([
      "2021-10-31T00:00",
      "2021-10-31T00:30",
      "2021-10-31T00:45",
      "2021-10-31T01:00",
      "2021-10-31T01:15",
      "2021-10-31T01:30",
    ]);
  });

  test("an hour that does not exist is said to be so, and taken as if the clock had not been changed", () => {
    const resolver = new StampResolver(makeZone("America/Chicago"));
    expect(resolver.resolve(parseStamp("2017-03-12 02:00:00")!)).toEqual({
      utc: Date.UTC(2017, 2, 12, 8),
      resolution: "skipped-hour",
    });
  });

  test("stamps at the end of their hour repeat and skip one label later", () => {
    const autumn = ["01:00", "02:00", "02:00", "03:00"].map((time) => `2015-11-01 ${time}`);
    expect(instants("America/New_York", autumn, hour)).toEqual([
      "2015-11-01T05:00",
      "2015-11-01T06:00",
      "2015-11-01T07:00",
      "2015-11-01T08:00",
    ]);
    const spring = ["01:00", "02:00", "04:00"].map((time) => `2015-03-08 ${time}`);
    expect(instants("America/New_York", spring, hour)).toEqual([
      "2015-03-08T06:00",
      "2015-03-08T07:00",
      "2015-03-08T08:00",
    ]);
  });

  test("any run of instants, written as wall times, is read back as it was", () => {
    const zones = ["Europe/Rome", "America/New_York", "America/Chicago", "Asia/Qatar", "Australia/Lord_Howe"];
    const changes = [
      Date.UTC(2021, 2, 28),
      Date.UTC(2021, 9, 31),
      Date.UTC(2021, 10, 7),
      Date.UTC(2021, 2, 14),
      Date.UTC(2021, 3, 3, 12),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...changes),
        fc.constantFrom(5, 15, 30, 60),
        (name, start, minutes) => {
          // Lord Howe repeats half an hour only: of hourly rows a single one falls into it.
          fc.pre(name !== "Australia/Lord_Howe" || minutes < 60);
          const zone = makeZone(name);
          const resolver = new StampResolver(zone);
          for (let utc = start; utc < start + 24 * hour; utc += minutes * 60_000) {
            const wall = new Date(utc + zone.offsetAt(utc)).toISOString().replace("Z", "");
            expect(resolver.resolve(parseStamp(wall)!).utc).toBe(utc);
          }
        },
      ),
    );
  });
});
