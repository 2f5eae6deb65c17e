import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attributeNames, parseSettings } from "#ingest/registry/settings.ts";

describe("KEY=VALUE", () => {
  test.each([
    ["place=Al Wakra", { place: "QA-WA" }],
    ["place=الدوحة", { place: "QA-DA" }],
    ["role=customer", { role: "customer" }],
    ["lane=1", { lane: "1" }],
    ["site=a=b", { site: "a=b" }],
    ["capacity_m3=1.5e3", { capacity_m3: 1500 }],
    ["position=51.53, 25.29", { position: [51.53, 25.29] }],
    ['limits={"cold_storage.temp":[2,8]}', { limits: { "cold_storage.temp": [2, 8] } }],
    ["dma=", { dma: null }],
  ])("%s is read as the attribute wants it", (setting, attributes) => {
    expect(parseSettings([setting])).toEqual({ ok: true, changes: { attributes, rollovers: {} } });
  });

  test("of a counter's rollover is read as a number, and cleared by nothing", () => {
    expect(parseSettings(["rollover.volume_total=100000", "rollover.reverse_total="])).toEqual({
      ok: true,
      changes: { attributes: {}, rollovers: { volume_total: 100_000, reverse_total: null } },
    });
  });

  test.each([
    ["role", "is not KEY=VALUE"],
    ["=customer", "is not KEY=VALUE"],
    ["roll=customer", 'unknown key "roll"; there are place, site'],
    ["__proto__=1", "unknown key"],
    ["rollover.=5", "unknown key"],
    ["rollover.volume_total=-5", ">0"],
    ["place=Dohha", "the nearest are Doha (QA-DA)"],
    ["role=custmer", "customer"],
    ["capacity_m3=large", "expected number"],
    ["capacity_m3=NaN", "expected number"],
    ["capacity_m3=-1", ">0"],
    ["position=51.53", "Longitude and latitude"],
    ["position=251.53,25.29", "<=180"],
    ["limits={", "expected record"],
  ])("%s is refused with what is wrong", (setting, why) => {
    const parsed = parseSettings([setting]);
    expect(parsed).toEqual({ ok: false, error: expect.stringContaining(why) });
  });

  test("with a key twice is refused", () => {
    expect(parseSettings(["lane=1", "lane=2"])).toEqual({ ok: false, error: "lane is given twice" });
  });

  test("never throws, whatever is typed", () => {
    const key = fc.oneof(fc.constantFrom(...attributeNames), fc.string());
    const value = fc.oneof(fc.string(), fc.json(), fc.double().map(String));
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 3 }), (settings) => {
        expect(parseSettings(settings.map((pair) => pair.join("=")))).toHaveProperty("ok");
      }),
    );
  });
});
