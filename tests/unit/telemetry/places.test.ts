import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { qatar } from "#telemetry/places-data.ts";
import { City, findPlace, makePlaces, places, unknownPlace } from "#telemetry/places.ts";
import { SensorAttributes } from "#telemetry/sensor.ts";

test("the city's places keep the rules of their schema", () => {
  expect(City.parse(qatar)).toStrictEqual(qatar);
  expect(qatar).toMatchObject({ zone: "Asia/Qatar", first_day_of_week: "sunday" });
  expect(qatar.municipalities.map(({ code }) => code)).toStrictEqual(
    ["DA", "RA", "WA", "US", "KH", "ZA", "MS", "SH"].map((code) => `QA-${code}`),
  );
});

test.each(places.all)("$code is found by its code, its names and its aliases", (place) => {
  for (const text of [place.code, place.name.en, place.name.ar, ...place.aliases]) {
    expect(findPlace(text)).toBe(place);
    expect(findPlace(` ${text.toUpperCase()} `)).toBe(place);
  }
  expect(place.code.startsWith(place.municipality)).toBe(true);
});

test.each([
  ["al-wakra", "QA-WA"],
  ["AL  WAKRAH", "QA-WA"],
  ["الوكره", "QA-WA"],
  ["الضعاين", "QA-ZA"],
  ["راس لفان", "QA-KH-ras-laffan"],
  ["qa-da-msheireb", "QA-DA-msheireb"],
])("%s is %s", (text, code) => {
  expect(findPlace(text)?.code).toBe(code);
});

test("a district knows its municipality", () => {
  expect(findPlace("Lusail")).toMatchObject({ municipality: "QA-ZA", district: "QA-ZA-lusail" });
  expect(findPlace("QA-ZA")).toMatchObject({ municipality: "QA-ZA", district: undefined });
});

test("an unknown place is told with the nearest names", () => {
  expect(unknownPlace("Lusial")).toMatch(
    /^unknown place "Lusial"; the nearest are Lusail \(QA-ZA-lusail\), /,
  );
});

test("any text is looked up without an exception", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
      expect(findPlace(text) === undefined ? unknownPlace(text) : "").not.toBe(text);
    }),
  );
});

test("two places may not share a name", () => {
  const [first, ...rest] = qatar.municipalities;
  const city = { ...qatar, municipalities: [{ ...first!, aliases: ["Lusail"] }, ...rest] };
  expect(() => makePlaces(city)).toThrow(/QA-ZA-lusail and QA-DA share the name "lusail"/);
});

describe("a sensor's attributes", () => {
  test("have the code of the place that was named", () => {
    expect(SensorAttributes.parse({ place: "West Bay" })).toStrictEqual({ place: "QA-DA-al-dafna" });
  });

  test.each([
    ["place", { place: "Atlantis" }],
    ["place", {}],
    ["role", { place: "QA-DA", role: "boss" }],
    ["commodity", { place: "QA-DA", commodity: "gold" }],
    ["position", { place: "QA-DA", position: [51.5, 125.3] }],
    ["site", { place: "QA-DA", site: "a\nb" }],
    ["site", { place: "QA-DA", site: " a" }],
    ["site", { place: "QA-DA", site: "x".repeat(65) }],
    ["period_s", { place: "QA-DA", period_s: 0 }],
    ["limits", { place: "QA-DA", limits: { temp: [2, 8] } }],
    ["limits", { place: "QA-DA", limits: { "cold_storage.temp": [8, 2] } }],
  ])("are refused for a wrong %s", (key, attributes) => {
    const parsed = SensorAttributes.safeParse(attributes);
    expect(parsed.error?.issues.map(({ path }) => path[0])).toStrictEqual([key]);
  });

  test("can be written as JSON Schema", () => {
    expect(z.toJSONSchema(SensorAttributes)).toMatchObject({
      required: ["place"],
      additionalProperties: false,
    });
  });
});
