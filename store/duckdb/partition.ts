import type { FieldType } from "#telemetry/catalogue.ts";

export const day_ms = 86_400_000;

/**
 * One table: a measurement's rows with `from` <= time < `to` (ms since 1970), both on a UTC midnight. Usually that is a
 * day; a month for a measurement that says little (`plan.ts`). Where both exist, a day's own table has its rows.
 */
export interface Partition {
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

export const columnTypes = ["BOOLEAN", "BIGINT", "DOUBLE"] as const;
/** What a field is stored as. Each holds all values of those before it. */
export type ColumnType = (typeof columnTypes)[number];

const byFieldType: Record<FieldType, ColumnType> = { boolean: "BOOLEAN", integer: "BIGINT", float: "DOUBLE" };

const byColumnType: Record<ColumnType, FieldType> = {
  BOOLEAN: "boolean",
  BIGINT: "integer",
  DOUBLE: "float",
};

export function columnTypeOf(field: FieldType): ColumnType {
  return byFieldType[field];
}

/** The other way round. */
export function fieldTypeOf(column: ColumnType): FieldType {
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

const dated = /^(?<measurement>.+)_(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})?$/;

/** The other way round; undefined for a table that is none of ours. */
export function parseTableName(
  table: string,
): Pick<Partition, "table" | "measurement" | "span" | "from" | "to"> | undefined {
  const parts = dated.exec(table)?.groups;
  if (parts === undefined) return undefined;
  const measurement = parts["measurement"]!;
  const start = Date.parse(`${parts["year"]}-${parts["month"]}-${parts["day"] ?? "01"}T00:00:00Z`);
  if (Number.isNaN(start)) return undefined;
  return parts["day"] === undefined
    ? { table, measurement, span: "month", ...monthOf(start) }
    : { table, measurement, span: "day", from: start, to: start + day_ms };
}
