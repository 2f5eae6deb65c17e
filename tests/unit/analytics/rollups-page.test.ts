import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { influenceOf, type Influence } from "#analytics/rollup/extent.ts";
import { rollMinutes } from "#analytics/rollup/minutes.ts";
import { periodsOf } from "#analytics/rollup/periods.ts";
import { rollupPlan } from "#analytics/rollup/plan.ts";
import { RollupRows } from "#analytics/rollup/rows.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { rollupKind, rollupFields } from "#telemetry/rollup-fields.ts";
import { makeZone } from "#telemetry/zone.ts";

const page = readFileSync(new URL("../../../docs/rollups.md", import.meta.url), "utf8");

/** The indented lines after a mark, as cells. */
function tableAfter(mark: string): string[][] {
  const [, after = ""] = page.split(`<!-- ${mark} -->\n`);
  const lines = after.trimStart().split("\n");
  const end = lines.findIndex((line) => !/^(?: {4})?\S/.test(line));
  return lines.slice(0, end).map((line) => line.trim().split(/ {2,}/));
}

const midnight = Date.UTC(2026, 10, 28);

test("the worked example's rows are what its readings make", () => {
  const [[, ...names] = [], ...lines] = tableAfter("readings");
  const plan = rollupPlan(builtinCatalogue.measurements[builtinCatalogue.indexOf("water_flow")!]!);
  const readings = {
    time: Float64Array.from(lines, ([time]) => Date.parse(`2026-11-28T${time}Z`)),
    // A field that is not in the table is read from its times, which are no numbers.
    values: plan.fields.map(({ name }) =>
      Float64Array.from(lines, (cells) => Number(cells[names.indexOf(name) + 1])),
    ),
  };
  const rules = { period_s: [{ from: 0, value: plan.period_s }], rollovers: {}, replacements: [] };
  const all = { from: 0, to: Infinity };
  const rows = new RollupRows(plan);
  const { rollup_1m: minutes } = periodsOf(makeZone("UTC"));
  const influence = influenceOf(plan, readings, rules, all, { ...all, begins: true, ends: true }, minutes);
  rollMinutes(readings, rules, influence as Influence, all, 1, rows);

  const [[, ...shown] = [], ...wanted] = tableAfter("rows");
  const made = Array.from({ length: rows.size }, (_, row) => [
    new Date(rows.time[row]!).toISOString().slice(11, 16),
    ...shown.map((name) => {
      const value = rows.values[plan.columns.findIndex((column) => column.name === name)]![row]!;
      return Number.isNaN(value) ? "-" : String(Number(value.toFixed(4)));
    }),
  ]);
  expect(rows.time[0]).toBeGreaterThan(midnight);
  expect(wanted).toEqual(made);
});

test("the page names the fields of each kind", () => {
  for (const field of builtinCatalogue.measurements.flatMap(({ fields }) => fields)) {
    const kind = { weighted: "weighted by" }[rollupKind(field) as string] ?? rollupKind(field);
    const line = page.split("\n").find((text) => text.startsWith("|") && text.includes(`**${kind}**`)) ?? "";
    // What is said of a weighted gauge is what is more than a gauge's.
    const said = kind === "weighted by" ? ["mean", "weight"] : rollupFields(field).map(({ of }) => of);
    expect(said.filter((of) => !line.includes(`\`f_${of}\``))).toEqual([]);
  }
});
