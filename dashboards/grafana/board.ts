import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import { optionPattern } from "#telemetry/place-rows.ts";
import { places } from "#telemetry/places.ts";
import { type Language, type Text, inLanguage, languages, say } from "./language.ts";
import { type Panel, boardUid } from "./panels.ts";
import { chosen, dataSource, here, result } from "./queries.ts";
import { watch } from "./style.ts";

/** A board, before a language is chosen. */
export interface Board {
  /** Part of its address: `/d/marsad-water-en`. */
  readonly name: string;
  readonly title: Text;
  /** Who looks at it and what they decide by it. */
  readonly about: Text;
  /** How far back it looks when it is opened, and whether it looks ahead. */
  readonly time: { readonly from: string; readonly to: string };
  readonly refresh: string;
  readonly variables: readonly Variable[];
  /** Alerts of these domains are marked on the curves; undefined: of all. */
  readonly alertsOf?: readonly string[];
  readonly panels: readonly Panel[];
}

/** What can be chosen on a board, with several values or all of them. */
export type Variable =
  | "place"
  | {
      readonly name: string;
      readonly label: Text;
      /** InfluxQL whose answer are the choices. */
      readonly influxql: string;
      /** One value, never all. */
      readonly single?: boolean;
    }
  | {
      readonly name: string;
      readonly label: Text;
      /** What is shown for each value; the first is chosen. */
      readonly options: Readonly<Record<string, Text>>;
    };

/** The dashboard as Grafana reads it. */
export function drawBoard(board: Board, language: Language): dashboard.Dashboard {
  const { name, title, about, time, refresh, variables, panels } = board;
  const builder = new dashboard.DashboardBuilder(say(title, language))
    .uid(boardUid(name, language))
    .description(say(about, language))
    .tags(["marsad", boardTag(language)])
    .readonly()
    .timezone(places.city.zone)
    .weekStart(places.city.first_day_of_week)
    .time(time)
    .refresh(refresh)
    .timepicker(new dashboard.TimePickerBuilder().refreshIntervals(["10s", "30s", "1m", "5m", "15m", "1h"]))
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .variables([
      dataSourceVariable(language),
      ...zoom,
      ...variables.flatMap((variable) => variableBuilders(variable, language)),
    ])
    .annotations([alertMarks(board, language)])
    .links(links(name, language));
  for (const panel of panels) builder.withPanel(panel.draw(language));
  // The builder lays panels out one after the other; these know their places.
  const built = builder.build();
  return {
    ...built,
    panels: panels.map((panel) => panel.draw(language).build()),
    // Where the SDK would hide them in a menu.
    links: built.links?.map(shown) ?? [],
  };
}

function shown(link: dashboard.DashboardLink): dashboard.DashboardLink {
  const kept = { ...link };
  delete kept.placement;
  return kept;
}

function boardTag(language: Language): string {
  return `marsad-${language}`;
}

function dataSourceVariable(language: Language): Builder<dashboard.VariableModel> {
  return new dashboard.DatasourceVariableBuilder("datasource")
    .label(say({ en: "Data source", ar: "مصدر البيانات" }, language))
    .type(dataSource.type)
    .hide(dashboard.VariableHide.InControlsMenu);
}

/** The roll-up for the length of the shown range, as the platform's job says (`rollup_choice`), and its window. */
const choiceOfRollup = `SELECT "rollup" FROM ${result("rollup_choice")} WHERE $\{__to} - $\{__from} >= "from_ms" AND $\{__to} - $\{__from} < "to_ms"`;
const zoom: readonly Builder<dashboard.VariableModel>[] = [
  hidden("rollup", choiceOfRollup, "", "rollup_1m"),
  hidden("window", choiceOfRollup, "/^rollup_(.+)$/", "1m"),
];

function hidden(
  name: string,
  influxql: string,
  regex: string,
  first: string,
): Builder<dashboard.VariableModel> {
  return new dashboard.QueryVariableBuilder(name)
    .hide(dashboard.VariableHide.HideVariable)
    .datasource(dataSource)
    .query(variableQuery(influxql))
    .definition(influxql)
    .regex(regex)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .current({ text: first, value: first });
}

/** As the data source's own variable editor writes it. */
function variableQuery(influxql: string): Record<string, unknown> {
  return { refId: "InfluxVariableQueryEditor-VariableQuery", query: influxql };
}

const all: Text = { en: "All", ar: "الكل" };

function variableBuilders(variable: Variable, language: Language): Builder<dashboard.VariableModel>[] {
  if (variable === "place") return placeVariables(language);
  if ("influxql" in variable) return [choice(variable, language)];
  const { name, label, options } = variable;
  const [[first, firstTitle]] = Object.entries(options) as [[string, Text]];
  const listed = Object.entries(options).map(([value, title]) => `${say(title, language)} : ${value}`);
  return [
    new dashboard.CustomVariableBuilder(name)
      .label(say(label, language))
      .values(listed.join(", "))
      .current({ text: say(firstTitle, language), value: first }),
  ];
}

function choice(
  { name, label, influxql, single }: Extract<Variable, { influxql: string }>,
  language: Language,
  regex = "",
): dashboard.QueryVariableBuilder {
  const query = inLanguage(influxql, language);
  const builder = new dashboard.QueryVariableBuilder(name)
    .label(say(label, language))
    .datasource(dataSource)
    .query(variableQuery(query))
    .definition(query)
    .regex(regex)
    // Not with the time: a board that refreshes itself would ask for all of its lists each time.
    .refresh(dashboard.VariableRefresh.OnDashboardLoad)
    .sort(dashboard.VariableSort.NaturalAsc);
  if (single === true) return builder;
  return builder
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ text: [all[language]], value: ["$__all"] });
}

/** Places by their names: the answers hold name and code, and the pattern takes them apart. */
function placeVariables(language: Language): Builder<dashboard.VariableModel>[] {
  const asked = `SELECT "option_{lang}" FROM ${result("place")} WHERE`;
  const pattern = `/${optionPattern.source}/`;
  return [
    choice(
      {
        name: "municipality",
        label: { en: "Municipality", ar: "البلدية" },
        influxql: `${asked} "district" = ''`,
      },
      language,
      pattern,
    ),
    choice(
      {
        name: "district",
        label: { en: "District", ar: "المنطقة" },
        influxql: `${asked} "district" != '' AND ${chosen("municipality")}`,
      },
      language,
      pattern,
    ),
  ];
}

/** Sensors of the chosen places that have written these measurements; a city has more of them than a list can hold, and `All` asks for all the same. */
export function sensorVariable(measurements: readonly string[]): Variable {
  const from = measurements.map((name) => `"${name}"`).join(", ");
  return {
    name: "sensor",
    label: { en: "Sensor", ar: "المستشعر" },
    influxql: `SHOW TAG VALUES FROM ${from} WITH KEY = "sensor" WHERE ${here} LIMIT 1000`,
  };
}

/** Alerts as they are opened, at the chosen places: title and text in the board's language. */
function alertMarks({ alertsOf, variables }: Board, language: Language): Builder<dashboard.AnnotationQuery> {
  const conditions = [
    "$timeFilter",
    '"state_code" = 0',
    ...(variables.includes("place") ? [here] : []),
    ...(alertsOf === undefined ? [] : [`"domain" =~ /^(${alertsOf.join("|")})$/`]),
  ];
  // The title has to come first: Grafana's backend calls it `alert.title`, and takes the first column that is nothing else.
  const query = inLanguage(
    `SELECT "title_{lang}" AS "title", "text_{lang}" AS "text", "severity", "domain" FROM ${result("alert")} WHERE ${conditions.join(" AND ")} LIMIT 200`,
    language,
  );
  return new dashboard.AnnotationQueryBuilder()
    .name(say({ en: "Alerts", ar: "التنبيهات" }, language))
    .datasource(dataSource)
    .enable(true)
    .iconColor(watch)
    .target({ build: () => alertTarget(query) });
}

/** What the data source's own annotation editor writes. */
function alertTarget(query: string): AlertTarget {
  return {
    refId: "Anno",
    datasource: dataSource,
    query,
    queryType: "tags",
    fromAnnotations: true,
    rawQuery: true,
    titleColumn: "title",
    textColumn: "text",
    tagsColumn: "severity,domain",
    _implementsDataqueryVariant: () => {},
  };
}

/** A target of an InfluxQL annotation. */
export interface AlertTarget extends Dataquery {
  refId: string;
  datasource: { type: "influxdb"; uid: string };
  query: string;
  queryType: "tags";
  fromAnnotations: true;
  rawQuery: true;
  titleColumn: string;
  textColumn: string;
  tagsColumn: string;
}

/** To every other board of this language, and to this board in the other one; time and choices go along. */
function links(name: string, language: Language): Builder<dashboard.DashboardLink>[] {
  const others = new dashboard.DashboardLinkBuilder("")
    .type(dashboard.DashboardLinkType.Dashboards)
    .tags([boardTag(language)])
    .keepTime(true)
    .includeVars(true);
  const otherLanguages = languages
    .filter((other) => other !== language)
    .map((other) =>
      new dashboard.DashboardLinkBuilder(languageNames[other])
        .type(dashboard.DashboardLinkType.Link)
        .icon("external link")
        .url(`/d/${boardUid(name, other)}`)
        .keepTime(true)
        .includeVars(true),
    );
  return [others, ...otherLanguages];
}

const languageNames: Readonly<Record<Language, string>> = { en: "English", ar: "العربية" };
