import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as bargauge from "@grafana/grafana-foundation-sdk/bargauge";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as geomap from "@grafana/grafana-foundation-sdk/geomap";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as statetimeline from "@grafana/grafana-foundation-sdk/statetimeline";
import * as table from "@grafana/grafana-foundation-sdk/table";
import * as text from "@grafana/grafana-foundation-sdk/text";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import { places } from "#telemetry/places.ts";
import { type Language, type Text, say } from "./language.ts";
import { type Query, InfluxTarget, dataSource } from "./queries.ts";
import {
  type Limit,
  type Words,
  calm,
  mapping,
  municipalitySeries,
  quiet,
  steps,
  thresholds,
} from "./style.ts";
import { grafanaUnit } from "./units.ts";

/** x, y, width, height on Grafana's grid of 24 columns, as an English reader sees it; Arabic boards are its mirror image. */
export type Place = readonly [x: number, y: number, w: number, h: number];

/** A panel, before a language is chosen. */
export interface Panel {
  /** Unique on its board, and kept: links and annotations point to it. */
  readonly id: number;
  readonly at: Place;
  readonly title: Text;
  /** What it shows and what to do about it: the panel's tooltip. */
  readonly about: Text;
  readonly queries: readonly Query[];
  readonly draw: (language: Language) => Builder<dashboard.Panel>;
}

/** What every kind of panel is told. */
interface Common {
  readonly id: number;
  readonly at: Place;
  readonly title: Text;
  readonly about: Text;
  readonly queries: readonly Query[];
}

interface Numeric extends Common {
  /** UCUM, or `share`. */
  readonly unit: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly limits?: readonly Limit[];
  /** Values that are words. */
  readonly words?: Words;
  /** What series are called, by their names in the answer (`alias`). */
  readonly names?: Readonly<Record<string, Named>>;
  /** Series are named by municipality codes: `$tag_municipality`. */
  readonly byMunicipality?: boolean;
  readonly links?: readonly Link[];
}

/** A series' or column's name, and what else is its own. */
export interface Named {
  readonly title: Text;
  readonly color?: string;
  readonly unit?: string;
  readonly line?: "none" | "dashed";
  /** Fills down to the series of this title: a band. */
  readonly downTo?: Text;
}

/** To another board, by its name (`water`); `query` adds to the kept time and variables. */
export interface Link {
  readonly title: Text;
  readonly board: string;
  readonly query?: string;
}

type PlaceVariable = "municipality" | "district";

/** To the place that a table's cell names. Its raw value: `${__data.fields.…}` would be the name that the cell shows. */
export function ofTheCell(place: PlaceVariable): string {
  return placeAlone(place, "${__value.raw}");
}

/** To the place that a series has as its label. */
export function ofTheSeries(place: PlaceVariable): string {
  return placeAlone(place, `$\{__field.labels.${place}}`);
}

function placeAlone(place: PlaceVariable, code: string): string {
  const valueOf = (each: PlaceVariable): string => (each === place ? code : "$__all");
  return `var-municipality=${valueOf("municipality")}&var-district=${valueOf("district")}`;
}

/** What the SDK's panel builders share. */
interface AnyPanelBuilder extends Builder<dashboard.Panel> {
  id(id: number): this;
  title(title: string): this;
  description(description: string): this;
  gridPos(position: dashboard.GridPos): this;
  datasource(source: common.DataSourceRef): this;
  targets(targets: Builder<object & ReturnType<InfluxTarget["build"]>>[]): this;
  unit(unit: string): this;
  decimals(decimals: number): this;
  min(min: number): this;
  max(max: number): this;
  noValue(text: string): this;
  mappings(mappings: dashboard.ValueMapping[]): this;
  thresholds(thresholds: Builder<dashboard.ThresholdsConfig>): this;
  colorScheme(color: Builder<dashboard.FieldColor>): this;
  dataLinks(links: Builder<dashboard.DashboardLink>[]): this;
  overrideByName(name: string, properties: dashboard.DynamicConfigValue[]): this;
}

const nothing: Text = { en: "No data", ar: "لا توجد بيانات" };
const columns = 24;

function dress<B extends AnyPanelBuilder>(
  builder: B,
  { id, at, title, about, queries }: Common,
  language: Language,
): B {
  const [x, y, w, h] = at;
  return builder
    .id(id)
    .title(say(title, language))
    .description(say(about, language))
    .gridPos({ x: language === "ar" ? columns - x - w : x, y, w, h })
    .datasource(dataSource)
    .targets(queries.map((query, i) => new InfluxTarget(query, String.fromCodePoint(65 + i), language)))
    .noValue(say(nothing, language));
}

function dressNumbers<B extends AnyPanelBuilder>(builder: B, panel: Numeric, language: Language): B {
  const {
    unit,
    decimals,
    min,
    max,
    limits = [[null, quiet]],
    words,
    names = {},
    byMunicipality,
    links,
  } = panel;
  dress(builder, panel, language)
    .unit(grafanaUnit(unit, language))
    .thresholds(
      new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps(limits)),
    );
  if (decimals !== undefined) builder.decimals(decimals);
  if (min !== undefined) builder.min(min);
  if (max !== undefined) builder.max(max);
  if (words !== undefined) builder.mappings(mapping(words, language));
  if (links !== undefined) builder.dataLinks(links.map((link) => boardLink(link, language)));
  if (byMunicipality === true)
    for (const { name, properties } of municipalitySeries(language)) builder.overrideByName(name, properties);
  for (const [name, named] of Object.entries(names)) builder.overrideByName(name, naming(named, language));
  return builder;
}

function naming(
  { title, color, unit, line, downTo }: Named,
  language: Language,
): dashboard.DynamicConfigValue[] {
  return [
    { id: "displayName", value: say(title, language) },
    ...(unit === undefined ? [] : [{ id: "unit", value: grafanaUnit(unit, language) }]),
    ...(color === undefined ? [] : [{ id: "color", value: { mode: "fixed", fixedColor: color } }]),
    ...(line === "none" ? [{ id: "custom.lineWidth", value: 0 }] : []),
    ...(line === "dashed" ? [{ id: "custom.lineStyle", value: { fill: "dash", dash: [8, 6] } }] : []),
    ...(downTo === undefined
      ? []
      : [
          { id: "custom.fillBelowTo", value: say(downTo, language) },
          { id: "custom.fillOpacity", value: 18 },
        ]),
  ];
}

/** A link in a panel's data: time, data source and what else is chosen go along. */
function boardLink({ title, board, query }: Link, language: Language): Builder<dashboard.DashboardLink> {
  const kept = "${__url_time_range}&${datasource:queryparam}";
  return new dashboard.DashboardLinkBuilder(say(title, language))
    .type(dashboard.DashboardLinkType.Link)
    .url(`/d/${boardUid(board, language)}?${kept}${query === undefined ? "" : `&${query}`}`);
}

export function boardUid(name: string, language: Language): string {
  return `marsad-${name}-${language}`;
}

export interface Lines extends Numeric {
  readonly fill?: number;
  readonly stacked?: boolean;
  readonly bars?: boolean;
  readonly color?: string;
  /** Limits as lines behind the curves. */
  readonly showLimits?: boolean;
  /** Lowest roll-up that makes sense, for results that are not rolled up. */
  readonly interval?: string;
  readonly softMax?: number;
  /** A gap up to this long (ms) is bridged: for what is written once a day. */
  readonly bridge?: number;
  readonly legend?: boolean;
  /** Series of a kind, whatever they are called: shades of one colour. */
  readonly many?: boolean;
}

/** Values over time. */
export function lines(panel: Lines): Panel {
  return made(panel, (language) => {
    const {
      fill = 6,
      stacked,
      bars,
      color = calm.blue,
      showLimits,
      interval,
      softMax,
      bridge,
      legend = true,
      many,
    } = panel;
    const builder = dressNumbers(new timeseries.PanelBuilder(), panel, language)
      .drawStyle(bars === true ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
      .lineWidth(bars === true ? 0 : 2)
      .fillOpacity(bars === true ? 60 : fill)
      .showPoints(common.VisibilityMode.Never)
      .spanNulls(bridge ?? false)
      .axisBorderShow(false)
      .colorScheme(
        new dashboard.FieldColorBuilder()
          .mode(many === true ? dashboard.FieldColorModeId.Shades : dashboard.FieldColorModeId.Fixed)
          .fixedColor(color),
      )
      .legend(
        new common.VizLegendOptionsBuilder()
          .showLegend(legend)
          .displayMode(common.LegendDisplayMode.List)
          .placement(common.LegendPlacement.Bottom)
          .calcs([]),
      )
      .tooltip(
        new common.VizTooltipOptionsBuilder()
          .mode(common.TooltipDisplayMode.Multi)
          .sort(common.SortOrder.Descending),
      );
    if (stacked === true)
      builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
    if (showLimits === true)
      builder.thresholdsStyle(
        new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
      );
    if (interval !== undefined) builder.interval(interval);
    if (softMax !== undefined) builder.axisSoftMax(softMax);
    return builder;
  });
}

export interface Stat extends Numeric {
  /** An empty answer is none of what is counted. */
  readonly counts?: boolean;
  /** A small curve behind the number. */
  readonly curve?: boolean;
  /** The whole tile in the limit's colour, not only the number. */
  readonly tile?: boolean;
  readonly color?: string;
  readonly calc?: "lastNotNull" | "mean" | "sum" | "max" | "min" | "count";
  readonly interval?: string;
}

/** One number to read from across the room, or a row of them. */
export function numbers(panel: Stat): Panel {
  return made(panel, (language) => {
    const {
      curve = false,
      tile = false,
      calc = "lastNotNull",
      limits,
      words,
      color = calm.blue,
      interval,
    } = panel;
    const judged = limits !== undefined || words !== undefined;
    const builder = dressNumbers(new stat.PanelBuilder(), panel, language)
      .graphMode(curve ? common.BigValueGraphMode.Area : common.BigValueGraphMode.None)
      .colorMode(tile ? common.BigValueColorMode.BackgroundSolid : common.BigValueColorMode.Value)
      .justifyMode(common.BigValueJustifyMode.Auto)
      .textMode(common.BigValueTextMode.Auto)
      .wideLayout(false)
      .orientation(common.VizOrientation.Vertical)
      .reduceOptions(new common.ReduceDataOptionsBuilder().calcs([calc]).fields("").values(false))
      .colorScheme(
        judged
          ? new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds)
          : new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Fixed).fixedColor(color),
      );
    if (panel.counts === true) builder.noValue("0");
    if (interval !== undefined) builder.interval(interval);
    return builder;
  });
}

/** Levels side by side: tanks, queues. */
export function bars(panel: Numeric): Panel {
  return made(panel, (language) =>
    dressNumbers(new bargauge.PanelBuilder(), panel, language)
      .displayMode(common.BarGaugeDisplayMode.Basic)
      .valueMode(common.BarGaugeValueMode.Color)
      .namePlacement(common.BarGaugeNamePlacement.Left)
      .showUnfilled(true)
      .orientation(common.VizOrientation.Horizontal)
      .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).fields("").values(false))
      .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds)),
  );
}

export interface Column extends Named {
  /** As it is called in the answer. */
  readonly field: string;
  readonly width?: number;
  readonly decimals?: number;
  readonly words?: Words;
  readonly limits?: readonly Limit[];
  /** Colours the text by words' or limits' colours. */
  readonly colored?: boolean;
  readonly link?: Link;
  readonly wrap?: boolean;
}

export interface Rows extends Common {
  readonly columns: readonly Column[];
  /** Fields of the answer that are not shown. */
  readonly hidden?: readonly string[];
  readonly sortBy?: { readonly field: string; readonly descending: boolean };
}

/** Rows to act on. Columns stand in the order given; Arabic tables run from the right. */
export function rows(panel: Rows): Panel {
  return made(panel, (language) => {
    const builder = dress(new table.PanelBuilder(), panel, language)
      .showHeader(true)
      .cellHeight(common.TableCellHeight.Sm)
      .align(language === "ar" ? common.FieldTextAlignment.Right : common.FieldTextAlignment.Auto)
      .unit(grafanaUnit("1", language));
    for (const column of panel.columns)
      builder.overrideByName(column.field, columnProperties(column, language));
    const order = language === "ar" ? panel.columns.toReversed() : panel.columns;
    builder.transformations([
      {
        id: "organize",
        options: {
          excludeByName: Object.fromEntries((panel.hidden ?? []).map((name) => [name, true])),
          indexByName: Object.fromEntries(order.map(({ field }, i) => [field, i])),
          renameByName: {},
        },
      },
    ]);
    const { sortBy } = panel;
    const sorted = panel.columns.find(({ field }) => field === sortBy?.field);
    if (sortBy !== undefined && sorted !== undefined)
      builder.sortBy([
        new common.TableSortByFieldStateBuilder()
          .displayName(say(sorted.title, language))
          .desc(sortBy.descending),
      ]);
    return builder;
  });
}

function columnProperties(column: Column, language: Language): dashboard.DynamicConfigValue[] {
  const { width, decimals, words, limits, colored, link, wrap } = column;
  return [
    ...naming(column, language),
    ...(width === undefined ? [] : [{ id: "custom.width", value: width }]),
    ...(decimals === undefined ? [] : [{ id: "decimals", value: decimals }]),
    ...(words === undefined ? [] : [{ id: "mappings", value: mapping(words, language) }]),
    ...(limits === undefined ? [] : [thresholds(limits)]),
    ...(colored === true
      ? [
          { id: "color", value: { mode: "thresholds" } },
          { id: "custom.cellOptions", value: { type: "color-text" } },
        ]
      : []),
    ...(wrap === true ? [{ id: "custom.cellOptions", value: { type: "auto", wrapText: true } }] : []),
    ...(link === undefined ? [] : [{ id: "links", value: [boardLink(link, language).build()] }]),
  ];
}

export interface States extends Common {
  readonly words: Words;
  readonly names?: Readonly<Record<string, Named>>;
  readonly interval?: string;
  /** ms that a state holds without being said again. */
  readonly holds?: number;
}

/** What was what, and when. */
export function states(panel: States): Panel {
  return made(panel, (language) => {
    const builder = dressNumbers(new statetimeline.PanelBuilder(), { ...panel, unit: "1" }, language)
      .mergeValues(true)
      .showValue(common.VisibilityMode.Never)
      .alignValue(common.TimelineValueAlignment.Center)
      .rowHeight(0.8)
      .lineWidth(0)
      .fillOpacity(70)
      .spanNulls(panel.holds ?? false)
      .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
      .legend(
        new common.VizLegendOptionsBuilder()
          .showLegend(true)
          .displayMode(common.LegendDisplayMode.List)
          .placement(common.LegendPlacement.Bottom)
          .calcs([]),
      )
      .tooltip(
        new common.VizTooltipOptionsBuilder()
          .mode(common.TooltipDisplayMode.Single)
          .sort(common.SortOrder.None),
      );
    if (panel.interval !== undefined) builder.interval(panel.interval);
    return builder;
  });
}

export interface PlaceMap extends Numeric {
  readonly columns: readonly Column[];
  /** The column that sizes a place and is written on it. */
  readonly size: string;
  /** The column that colours it. */
  readonly color: string;
}

/** All of the city, seen from its middle. */
const mapView = {
  longitude: middle(places.city.municipalities.map(({ position }) => position?.[0])),
  latitude: middle(places.city.municipalities.map(({ position }) => position?.[1])),
  zoom: 8,
};

function middle(values: readonly (number | undefined)[]): number {
  const known = values.filter((value) => value !== undefined);
  return Math.round(500 * (Math.min(...known) + Math.max(...known))) / 1000;
}

/**
 * A number at each municipality that has one. The first query has the number and the second the positions; they are joined by
 * `municipality`, so the map needs no file in Grafana's own folders. Their times are left out before: joined, they would be called
 * after the measurements, and stand in the tooltip. An outer join would leave places without a size.
 */
export function placeMap(panel: PlaceMap): Panel {
  return made(panel, (language) => {
    const { columns, size, color, title } = panel;
    const { longitude, latitude, zoom } = mapView;
    const builder = dressNumbers(new geomap.PanelBuilder(), panel, language)
      .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
      .view(new geomap.MapViewConfigBuilder().id("coords").lon(longitude).lat(latitude).zoom(zoom))
      .controls(
        new geomap.ControlsOptionsBuilder()
          .showZoom(true)
          .mouseWheelZoom(false)
          .showAttribution(true)
          .showScale(false),
      )
      .basemap(new common.MapLayerOptionsBuilder().type("default").name("Basemap"))
      .tooltip(new geomap.TooltipOptionsBuilder().mode(geomap.TooltipMode.Details))
      .layers([
        new common.MapLayerOptionsBuilder()
          .type("markers")
          .name(say(title, language))
          .tooltip(true)
          .location(
            new common.FrameGeometrySourceBuilder()
              .mode(common.FrameGeometrySourceMode.Coords)
              .latitude("latitude")
              .longitude("longitude"),
          )
          .config({
            showLegend: false,
            style: {
              color: { field: color, fixed: calm.grey },
              opacity: 0.7,
              size: { field: size, fixed: 12, min: 10, max: 26 },
              symbol: { mode: "fixed", fixed: "img/icons/marker/circle.svg" },
              text: { mode: "field", field: size, fixed: "" },
              textConfig: {
                fontSize: 12,
                textAlign: "center",
                textBaseline: "middle",
                offsetX: 0,
                offsetY: 0,
              },
            },
          }),
      ])
      .transformations([
        {
          id: "filterFieldsByName",
          options: { include: { names: [...columns.map(({ field }) => field), "longitude", "latitude"] } },
        },
        { id: "joinByField", options: { byField: "municipality", mode: "inner" } },
      ]);
    for (const column of columns) builder.overrideByName(column.field, columnProperties(column, language));
    return builder;
  });
}

/** Words on the board, in Markdown. */
export function note(panel: Omit<Common, "queries"> & { readonly words: Text }): Panel {
  return made({ ...panel, queries: [] }, (language) => {
    const { id, at, title, about, words } = panel;
    const [x, y, w, h] = at;
    const html = `<div style="text-align: ${language === "ar" ? "right" : "left"}">${say(words, language)}</div>`;
    return new text.PanelBuilder()
      .id(id)
      .title(say(title, language))
      .description(say(about, language))
      .gridPos({ x: language === "ar" ? columns - x - w : x, y, w, h })
      .mode(text.TextMode.HTML)
      .content(html);
  });
}

function made(
  { id, at, title, about, queries }: Common,
  draw: (language: Language) => Builder<dashboard.Panel>,
): Panel {
  return { id, at, title, about, queries, draw };
}
