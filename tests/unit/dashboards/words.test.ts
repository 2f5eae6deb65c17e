import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { say } from "#dashboards/grafana/language.ts";
import { catalogueField, rolledUp } from "#dashboards/grafana/queries.ts";
import { grafanaUnit, share } from "#dashboards/grafana/units.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { optionPattern, placeRows } from "#telemetry/place-rows.ts";
import { places } from "#telemetry/places.ts";
import { results } from "#telemetry/results.ts";
import { rollupFields } from "#telemetry/rollup-fields.ts";

describe("units", () => {
  const catalogue = builtinCatalogue.measurements.flatMap(({ fields }) => fields);
  const all = new Set([
    ...catalogue.map(({ unit }) => unit),
    ...catalogue.flatMap((field) => rollupFields(field).map(({ unit }) => unit)),
    ...results.flatMap(({ fields }) => fields.flatMap(({ unit }) => unit ?? [])),
  ]);

  test("every unit of the catalogue, of roll-ups and of results has one of Grafana's, or its own symbol", () => {
    for (const unit of all)
      for (const language of ["en", "ar"] as const)
        expect(grafanaUnit(unit, language)).toMatch(/^(?:\S+|suffix: \S.*)$/);
  });

  test("what Grafana would scale is its own unit; what is counted has its noun in the language", () => {
    expect(grafanaUnit("kW", "ar")).toBe("kwatt");
    expect(grafanaUnit(share, "en")).toBe("percentunit");
    expect(grafanaUnit("{vehicle}", "en")).toBe("suffix: vehicles");
    expect(grafanaUnit("{vehicle}", "ar")).toBe("suffix: مركبة");
    expect(() => grafanaUnit("{furlong}", "en")).toThrow("{furlong}");
  });
});

test("a field that the catalogue has not, or a roll-up has not of it, draws no board", () => {
  expect(rolledUp("water_flow", "flow", "mean")).toBe('"flow_mean"');
  expect(() => catalogueField("water_flow", "flaw")).toThrow("water_flow.flaw");
  expect(() => rolledUp("water_flow", "volume_total", "mean")).toThrow("no mean");
});

test("an Arabic text with Latin letters or digits is one right-to-left piece; others are as they are", () => {
  expect(say({ en: "Particles (PM10)", ar: "الجسيمات (PM10)" }, "ar")).toBe("\u2067الجسيمات (PM10)\u2069");
  expect(say({ en: "Particles (PM10)", ar: "الجسيمات (PM10)" }, "en")).toBe("Particles (PM10)");
  expect(say({ en: "Water", ar: "المياه" }, "ar")).toBe("المياه");
});

describe("places as rows", () => {
  test("each has its names, its position, and a choice that gives name and code back", () => {
    const rows = placeRows();
    expect(rows.length).toBe(places.all.length);
    for (const [i, { tags, fields }] of rows.entries()) {
      const { code, name, municipality, position } = places.all[i]!;
      expect(tags["municipality"]).toBe(municipality);
      expect([fields["longitude"], fields["latitude"]]).toEqual(position);
      for (const language of ["en", "ar"] as const)
        expect({ ...optionPattern.exec(String(fields[`option_${language}`]))!.groups }).toEqual({
          text: name[language],
          value: code,
        });
    }
  });

  test("whatever a place is called, bars and blanks too", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter((name) => !/[\n\r\u2028\u2029]/.test(name)),
        (name) => {
          const named = { ...places, all: [{ ...places.all[0]!, name: { en: name, ar: name } }] };
          const [row] = placeRows(named);
          expect({ ...optionPattern.exec(String(row!.fields["option_en"]))!.groups }).toEqual({
            text: name,
            value: places.all[0]!.code,
          });
        },
      ),
    );
  });
});
