import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FilterRule, matches, ruleProblems } from "#edge-agent/filters/rule.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { makeCatalogue } from "#telemetry/catalogue.ts";
import { openFilters, t0 } from "./support.ts";

function tank(fields: string, time: number): string {
  return `water_tank,sensor=wt-1 ${fields} ${t0 + time}`;
}

function weather(temp: number, time: number, sensor = 1): string {
  return `weather,sensor=ws-${sensor} temp=${temp} ${t0 + time}`;
}

/** The paths of what is wrong with a rule. */
function problems(rule: object): string[] {
  const parsed = FilterRule.safeParse(rule);
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join("."));
}

describe("a rule", () => {
  test("says what it does, and with a dead-band how long it may be silent", () => {
    expect(problems({ measurement: "weather", duplicates: true })).toEqual([]);
    expect(problems({ dead_band: {}, max_silence_s: 60 })).toEqual([]);
    expect(problems({ measurement: "weather" })).toEqual([""]);
    expect(problems({ dead_band: { temp: 1 } })).toEqual(["max_silence_s"]);
    expect(problems({ duplicates: true, max_silence_s: 5 })).toEqual(["max_silence_s"]);
    expect(problems({ dead_band: { temp: "1 percent" }, max_silence_s: 60 })).toEqual(["dead_band.temp"]);
    expect(problems({ dead_band: { temp: -1 }, max_silence_s: 60 })).toEqual(["dead_band.temp"]);
    expect(problems({ average: { window_s: 7 } })).toEqual(["average.window_s"]);
    expect(problems({ duplicate: true })).not.toEqual([]);
  });

  test("averages what the catalogue or it itself says how to average", () => {
    const rules = [
      { measurement: "parking", average: { window_s: 60 } },
      { measurement: "parking", average: { window_s: 60, kinds: { occupied: "gauge" as const } } },
      { measurement: "weather", average: { window_s: 60 } },
      { measurement: "park*", average: { window_s: 60 } },
    ].map((rule) => FilterRule.parse(rule));
    expect(ruleProblems(rules, builtinCatalogue)).toEqual([
      "filters[0].average.kinds: the catalogue has no parking: say each field's kind, such as { occupied: gauge }",
    ]);
    const parking = { ...builtinCatalogue.measurements[0]!, name: "parking" };
    expect(ruleProblems(rules, makeCatalogue([parking, ...builtinCatalogue.measurements]))).toEqual([]);
  });

  test("names sensors by patterns, as the regular expression does", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "-"), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 12 });
    fc.assert(
      fc.property(letters, text, (pattern, subject) => {
        const expression = new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
        expect(matches(pattern, subject)).toBe(expression.test(subject));
      }),
    );
  });

  test("comes before those after it", () => {
    const filtered = openFilters([
      { sensors: "wt-1", dead_band: { level: 0 }, max_silence_s: 60 },
      { measurement: "water_tank", dead_band: { level: 5 }, max_silence_s: 60 },
    ]);
    const lines = [1, 2].flatMap((sensor) => [
      `water_tank,sensor=wt-${sensor} level=1 ${t0}`,
      `water_tank,sensor=wt-${sensor} level=2 ${t0 + 1}`,
    ]);
    filtered.take(lines);
    expect(filtered.sent()).toEqual(lines.slice(0, 3));
  });
});

describe("duplicates", () => {
  const rules = [{ duplicates: true }];

  test("are left out, however their values are spelled; a correction and a later repeat are none", () => {
    const filtered = openFilters(rules);
    filtered.take([
      tank("level=2.50,fill=0.5", 0),
      tank("level=2.5,fill=5e-1", 0),
      tank("fill=0.5", 0),
      tank("level=2.6", 0),
      tank("level=2.6,fill=0.5", 0),
      tank("level=2.5", 0),
      tank("level=2.5", 1),
      tank("level=2.5,inflow=1", 1),
    ]);
    expect(filtered.sent()).toEqual([
      tank("level=2.50,fill=0.5", 0),
      tank("level=2.6", 0),
      tank("level=2.5", 0),
      tank("level=2.5", 1),
      tank("level=2.5,inflow=1", 1),
    ]);
    expect(filtered.filters.counts.duplicates).toBe(3);
    expect(filtered.intake.received).toBe(8);
  });

  test("are found in lines that must be mended first, and in those without a time", () => {
    const filtered = openFilters(rules);
    filtered.take([` ${tank("level=2", 0)}\r`, tank("level=2", 0), "water_tank,sensor=wt-1 level=2"], t0);
    filtered.take(["water_tank,sensor=wt-1 level=2"], t0 + 1);
    filtered.take(["water_tank,sensor=wt-1 level=2\r"], t0 + 1);
    expect(filtered.sent()).toEqual([tank("level=2", 0), tank("level=2", 1)]);
  });
});

describe("filters", () => {
  test("change nothing of lines that they do not name, whatever those are", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "water_tank,sensor=wt-1 level=1 12\n",
        "water_flow,sensor=a f=1\n",
        "water_tank,",
        "\n",
        " ",
      ),
      fc.string({ unit: "binary-ascii", maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const lines = pieces.join("").split("\n");
        const plain = openFilters([]);
        const filtered = openFilters([{ measurement: "weather", duplicates: true }]);
        const unnamed = openFilters([{ sensors: "no-such-sensor", duplicates: true }]);
        for (const one of [plain, filtered, unnamed]) one.take(lines);
        expect(filtered.sent()).toEqual(plain.sent());
        expect(unnamed.sent()).toEqual(plain.sent());
        expect(filtered.intake.received).toBe(plain.intake.received);
      }),
    );
  });

  test("remember so many series and no more: those beyond pass untouched", () => {
    const filtered = openFilters([{ duplicates: true }], 1 << 20);
    const lines = Array.from({ length: 6000 }, (_, sensor) => weather(20, 0, sensor));
    filtered.take(lines);
    filtered.take(lines);
    expect(filtered.filters.counts.duplicates).toBe(5000);
    expect(filtered.sent()).toHaveLength(7000);
  });

  test("let readings pass that are far ahead of the clock, as far as that is known to be right", () => {
    const filtered = openFilters([{ dead_band: { temp: 5 }, max_silence_s: 60 }]);
    filtered.take([weather(20, 600_000), weather(21, 600_001)], t0);
    expect(filtered.sent()).toHaveLength(2);
    filtered.filters.clockLead = -600_000;
    filtered.take([weather(20, 600_002), weather(21, 600_003)], t0);
    expect(filtered.sent()).toHaveLength(3);
  });

  test("with other rules begin anew", () => {
    const filtered = openFilters([{ dead_band: { temp: 1 }, max_silence_s: 60 }]);
    filtered.take([weather(20, 0), weather(20.5, 1)]);
    filtered.flush();
    filtered.filters.configure([]);
    filtered.take([weather(20.5, 2), weather(20.5, 3)]);
    expect(filtered.sent()).toEqual([weather(20, 0), weather(20.5, 1), weather(20.5, 2), weather(20.5, 3)]);
  });
});
