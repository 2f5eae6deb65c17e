import type { FieldType } from "#telemetry/catalogue.ts";
import { type Policy, rollups } from "../query.ts";
import { quoted } from "./sql.ts";

export const day_ms = 86_400_000;

/**
 * One table: a measurement's rows with `from` <= time < `to` (ms since 1970), both on a UTC midnight. Usually that is a
 * day; a month for a measurement that says little (`plan.ts`). Where both exist, a day's own table has its rows.
 */
export interface Partition {
  readonly place: Place;
  readonly table: string;
  readonly measurement: string;
  readonly span: "day" | "month";
  readonly from: number;
  readonly to: number;
  /** The field columns, in the table's order; `time` and `series` stand before them. */
  readonly columns: readonly Column[];
  readonly rows: number;
}

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

export const columnTypes = ["BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR"] as const;
/** What a field is stored as. Each number holds all values of those before it; text is of results alone. */
export type ColumnType = (typeof columnTypes)[number];

/** DuckDB's schemas: `main` has the readings, `results` what the platform's jobs find, the others the readings rolled up. */
export const places = ["main", "results", ...rollups] as const;
export type Place = (typeof places)[number];
export type ResultPlace = Exclude<Place, "main">;

/** Where a policy's results are. */
export function resultPlaceOf(policy: Policy): ResultPlace {
  return policy === "autogen" ? "results" : policy;
}

const byFieldType: Record<FieldType | "string", ColumnType> = {
  boolean: "BOOLEAN",
  integer: "BIGINT",
  float: "DOUBLE",
  string: "VARCHAR",
};

const byColumnType: Record<ColumnType, FieldType | "string"> = {
  BOOLEAN: "boolean",
  BIGINT: "integer",
  DOUBLE: "float",
  VARCHAR: "string",
};

export function columnTypeOf(field: FieldType | "string"): ColumnType {
  return byFieldType[field];
}

/** The other way round. */
export function fieldTypeOf(column: ColumnType): FieldType | "string" {
  return byColumnType[column];
}

/** The narrower type that holds all values of both. */
export function widest(a: ColumnType, b: ColumnType): ColumnType {
  return columnTypes.indexOf(a) > columnTypes.indexOf(b) ? a : b;
}

/** The start of the UTC day of `time`; both in ms since 1970. */
export function startOfDay(time: number): number {
  return Math.floor(time / day_ms) * day_ms;
}

/** The UTC month of `time`: its first midnight and the next month's, in ms since 1970. */
export function monthOf(time: number): { from: number; to: number } {
  const date = new Date(time);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  return { from: Date.UTC(year, month), to: Date.UTC(year, month + 1) };
}

/** `traffic_flow_20260131` for a day, `food_stock_202601` for a month. */
export function tableName(measurement: string, span: Partition["span"], from: number): string {
  const date = new Date(from).toISOString().slice(0, 10).replaceAll("-", "");
  return `${measurement}_${span === "day" ? date : date.slice(0, 6)}`;
}

/** A table as SQL names it. */
export function sqlName({ place, table }: Pick<Partition, "place" | "table">): string {
  return `${quoted(place)}.${quoted(table)}`;
}

/** How a table is called in `rewritten`, in the log, and wherever tables of all places meet. */
export function idOf({ place, table }: Pick<Partition, "place" | "table">): string {
  return place === "main" ? table : `${place}.${table}`;
}

const dated = /^(?<measurement>.+)_(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})?$/;

/** The other way round; undefined for a table that is none of ours. */
export function parseTableName(table: string): Omit<Partition, "place" | "columns" | "rows"> | undefined {
  const parts = dated.exec(table)?.groups;
  if (parts === undefined) return undefined;
  const measurement = parts["measurement"]!;
  const start = Date.parse(`${parts["year"]}-${parts["month"]}-${parts["day"] ?? "01"}T00:00:00Z`);
  if (Number.isNaN(start)) return undefined;
  return parts["day"] === undefined
    ? { table, measurement, span: "month", ...monthOf(start) }
    : { table, measurement, span: "day", from: start, to: start + day_ms };
}
