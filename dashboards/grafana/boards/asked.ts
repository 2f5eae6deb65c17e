import { goals, indicators } from "#telemetry/goals.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { commodities } from "#telemetry/commodities.ts";
import type { Text } from "../language.ts";
import type { Named } from "../panels.ts";
import { before, here, result } from "../queries.ts";
import type { Words } from "../style.ts";

/** What more than one board asks. */

/** How far back a verdict, a goal's value or an alert that has not changed since is looked for. */
export const goalsHold = "45d";
const alertsHold = "30d";

/** The newest row of each alert that is open or acknowledged; `by` are tags to keep for grouping. */
export function openAlerts(fields: readonly string[], by: readonly string[] = []): string {
  const columns = ['last("state_code") AS "state_code"', ...fields].join(", ");
  const tags = ["alert", ...by].map((tag) => `"${tag}"`).join(", ");
  return `(SELECT ${columns} FROM ${result("alert")} WHERE ${before(alertsHold)} AND ${here} GROUP BY ${tags}) WHERE "state_code" < 2`;
}

/** The worst verdict among each goal's indicators; a verdict is the higher the worse (`verdicts`). */
export const worstByGoal = `SELECT max("verdict") AS "verdict" FROM (SELECT last("verdict_code") AS "verdict" FROM ${result("kpi")} WHERE ${before(goalsHold)} AND "municipality" =~ /^$\{municipality:regex}$/ GROUP BY "goal", "indicator", "municipality", "subject") GROUP BY "goal"`;

/** Gateways that have said nothing for longer than this many seconds. */
export const silence = 300;

export const goalNames: Readonly<Record<string, Named>> = Object.fromEntries(
  Object.entries(goals).map(([id, { title }]) => [id, { title }]),
);
export const goalWords: Words = Object.fromEntries(
  Object.entries(goals).map(([id, { title }]) => [id, { text: title }]),
);

const indicatorUnits: Readonly<Record<string, Text>> = {
  "L/d": { en: "litres a day", ar: "لتر يومياً" },
  "kW.h/d": { en: "kWh a day", ar: "kWh يومياً" },
  d: { en: "days", ar: "أيام" },
  mo: { en: "months", ar: "أشهر" },
  min: { en: "minutes", ar: "دقائق" },
  s: { en: "seconds", ar: "ثوانٍ" },
  h: { en: "hours", ar: "ساعات" },
};

/** Indicators by name, with the unit that their numbers are in: a column has one unit only. */
export const indicatorWords: Words = Object.fromEntries(
  Object.entries(indicators).map(([id, { title, unit }]) => {
    const said = indicatorUnits[unit];
    return [
      id,
      {
        text: said === undefined ? title : { en: `${title.en} (${said.en})`, ar: `${title.ar} (${said.ar})` },
      },
    ];
  }),
);

const measurementEntries = builtinCatalogue.measurements.map(
  ({ name, title }) => [name, { text: title }] as const,
);
export const measurementWords: Words = Object.fromEntries(measurementEntries);

/** Fields by name; one that several measurements have is called the same in all of them, or as the first calls it. */
export const fieldWords: Words = Object.fromEntries(
  builtinCatalogue.measurements
    .flatMap(({ fields }) => fields)
    .toReversed()
    .map(({ name, title }) => [name, { text: title }]),
);

export const commodityWords: Words = Object.fromEntries(
  Object.entries(commodities).map(([name, title]) => [name, { text: title }]),
);
export const commodityNames: Readonly<Record<string, Named>> = Object.fromEntries(
  Object.entries(commodities).map(([name, title]) => [name, { title }]),
);
