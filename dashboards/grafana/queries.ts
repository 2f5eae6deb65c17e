import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Field } from "#telemetry/catalogue.ts";
import { places } from "#telemetry/places.ts";
import type { ResultName } from "#telemetry/result-names.ts";
import { type RollupOf, rollupFields } from "#telemetry/rollup-fields.ts";
import { type Language, inLanguage } from "./language.ts";
import { unitOfField } from "./units.ts";

/** The data source that the board's variable names: no board is tied to one. */
export const dataSource = { type: "influxdb", uid: "${datasource}" } as const;

/** A panel's question, in InfluxQL as Grafana's data source sends it. */
export interface Query {
  readonly influxql: string;
  /** One series a tag set, or one table of all. */
  readonly as: "time_series" | "table";
  /** A series' name: `$tag_district`, `$col`. */
  readonly alias?: string;
}

/** The SDK has no builder for InfluxDB's queries: this is what the data source's own editor writes in its text mode. */
export class InfluxTarget implements Builder<Dataquery> {
  private readonly query: Query;
  private readonly refId: string;
  private readonly language: Language;

  constructor(query: Query, refId: string, language: Language) {
    this.query = query;
    this.refId = refId;
    this.language = language;
  }

  build(): InfluxDataquery {
    const { influxql, as, alias } = this.query;
    return {
      refId: this.refId,
      datasource: dataSource,
      rawQuery: true,
      query: inLanguage(influxql, this.language),
      resultFormat: as,
      ...(alias !== undefined && { alias }),
      _implementsDataqueryVariant: () => {},
    };
  }
}

/** A target of InfluxDB's data source in its InfluxQL text mode, as a board's JSON holds it. */
export interface InfluxDataquery extends Dataquery {
  refId: string;
  datasource: { type: "influxdb"; uid: string };
  rawQuery: true;
  query: string;
  resultFormat: "time_series" | "table";
  alias?: string;
}

/** `"tag" =~ /^…$/` for the values of a variable that may have several or all; the format escapes what is special in a regular expression. */
export function chosen(variable: string, tag: string = variable): string {
  return `"${tag}" =~ /^$\{${variable}:regex}$/`;
}

/** Where the place variables say. */
export const here = `${chosen("municipality")} AND ${chosen("district")}`;

/** Every bucket of time begins where the city's hour or day does. */
export const cityTime = `tz('${places.city.zone}')`;

/** The shown range's last `duration` and everything before its end: for results that are written once a day or when something changes. */
export function before(duration: string): string {
  return `time > $\{__to}ms - ${duration} AND time <= $\{__to}ms`;
}

/** `measurement`'s field `name`, of the catalogue. @throws RangeError */
export function catalogueField(measurement: string, name: string): Field {
  const at = builtinCatalogue.indexOf(measurement);
  const field = builtinCatalogue.measurements[at ?? -1]?.fields.find((field) => field.name === name);
  if (field === undefined) throw new RangeError(`the catalogue has no ${measurement}.${name}`);
  return field;
}

/** A catalogue field's unit, as panels take it. */
export function unitOf(measurement: string, name: string): string {
  return unitOfField(catalogueField(measurement, name));
}

/** A roll-up's field in quotes: `rolledUp("water_flow", "flow", "mean")` is `"flow_mean"`. @throws RangeError where it has no such part. */
export function rolledUp(measurement: string, name: string, of: RollupOf): string {
  const part = rollupFields(catalogueField(measurement, name)).find((part) => part.of === of);
  if (part === undefined) throw new RangeError(`${measurement}.${name} has no ${of} when rolled up`);
  return `"${part.name}"`;
}

interface OverTime {
  readonly measurement: string;
  /** Of the roll-up's fields: `max("flow_max") AS "peak"`. */
  readonly select: string;
  readonly where?: readonly string[];
  readonly by?: readonly string[];
}

/** The window that is still being filled: sums without it do not fall at their end. */
export const whole = "time <= ${__to}ms - $window";

/**
 * Roll-ups over time, at the roll-up that the shown range calls for; a window without any stays empty. A window is the roll-up's own, so that every
 * sensor has one row in it: `sum("flow_mean")` is the flow of all.
 */
export function overTime({ measurement, select, where = [here], by = [] }: OverTime): string {
  const groups = ["time($window)", ...by.map((tag) => `"${tag}"`)].join(", ");
  return `SELECT ${select} FROM ${rollup(measurement)} WHERE ${["$timeFilter", ...where].join(" AND ")} GROUP BY ${groups} fill(null) ${cityTime}`;
}

/** Roll-ups of the whole shown range, one row a tag set. */
export function overRange({ measurement, select, where = [here], by = [] }: OverTime): string {
  const groups = by.length > 0 ? ` GROUP BY ${by.map((tag) => `"${tag}"`).join(", ")}` : "";
  return `SELECT ${select} FROM ${rollup(measurement)} WHERE ${["$timeFilter", ...where].join(" AND ")}${groups}`;
}

/**
 * A mean over sensors that weighs each as the roll-up does: speed by vehicles.
 * @param over  true: over time, false: one value a tag set
 */
export function weightedMean(
  over: boolean,
  {
    measurement,
    field,
    as,
    where = [here],
    by = [],
  }: Omit<OverTime, "select"> & { field: string; as: string },
): string {
  const mean = rolledUp(measurement, field, "mean");
  const weight = rolledUp(measurement, field, "weight");
  const rows = `SELECT ${mean} * ${weight} AS "weighed", ${weight} AS "weight" FROM ${rollup(measurement)} WHERE ${["$timeFilter", ...where].join(" AND ")}`;
  const tags = by.map((tag) => `"${tag}"`);
  const groups = over ? ["time($window)", ...tags] : tags;
  const grouped = groups.length > 0 ? ` GROUP BY ${groups.join(", ")}` : "";
  return `SELECT sum("weighed") / sum("weight") AS "${as}" FROM (${rows}) WHERE $timeFilter${grouped}${over ? ` fill(null) ${cityTime}` : ""}`;
}

/** `"$rollup"."water_flow"`: the roll-up is the board's hidden variable, chosen by the length of the shown range. */
export function rollup(measurement: string): string {
  if (builtinCatalogue.indexOf(measurement) === undefined)
    throw new RangeError(`the catalogue has no ${measurement}`);
  return `"$rollup"."${measurement}"`;
}

/** A measurement of the platform's own jobs. */
export function result(name: ResultName): string {
  return `"${name}"`;
}
