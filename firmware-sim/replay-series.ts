import type { Catalogue, FieldType } from "#telemetry/catalogue.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { ColumnMap } from "./replay-map.ts";

/** What one sensor says in one measurement, and the columns it is played from. */
export interface Series {
  readonly measurement: string;
  readonly sensor: string;
  readonly fields: readonly SeriesField[];
}

export interface SeriesField {
  readonly name: string;
  readonly type: FieldType;
  /** A UCUM code. */
  readonly unit: string;
  readonly column: string;
}

/** A cell's value; undefined = nothing was measured, or nothing that can be sent. */
export type CellValue = number | boolean | undefined;

/** Where the readings of a file go. */
export interface ReplaySink {
  /** Takes a reading: the series by its index, values in its fields' order, at least one. Answers a promise when it wants a pause. */
  take(series: number, utc: number, values: readonly CellValue[]): Promise<void> | undefined;
  /** Lets go of what it has gathered: there is a pause. */
  flush(): Promise<void> | undefined;
  /** Resolves when everything has arrived, as far as the protocol can tell. */
  finish(): Promise<void>;
}

/**
 * Maps onto the same measurement and sensor become fields of one series, in the order given.
 * @throws MarsadError CONFIG_INVALID: a field twice
 */
export function seriesOf(maps: readonly ColumnMap[], catalogue: Catalogue): Series[] {
  const all = new Map<string, { measurement: string; sensor: string; fields: SeriesField[] }>();
  for (const { measurement, field, column, sensor } of maps) {
    const key = `${measurement} ${sensor}`;
    const series = all.get(key) ?? { measurement, sensor, fields: [] };
    all.set(key, series);
    if (series.fields.some(({ name }) => name === field)) {
      const message = `--map: ${measurement}.${field} of sensor ${sensor} is mapped twice; name sensors with @SENSOR`;
      throw new MarsadError("CONFIG_INVALID", message);
    }
    const known = catalogue.measurements[catalogue.indexOf(measurement)!]!.fields;
    const { type, unit } = known.find(({ name }) => name === field)!;
    series.fields.push({ name: field, type, unit, column });
  }
  return [...all.values()];
}

/** What files write for "nothing was measured". */
const gap = /^(?:nan|na|n\/a|null|none|-)?$/i;
const decimalNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

export function isGap(cell: string): boolean {
  return gap.test(cell);
}

/** A cell as a value of its field; undefined when it is none of this type. */
export function cellValue(cell: string, type: FieldType): CellValue {
  if (type === "boolean") {
    if (/^(?:1|t|true|yes|on)$/i.test(cell)) return true;
    return /^(?:0|f|false|no|off)$/i.test(cell) ? false : undefined;
  }
  const value = decimalNumber.test(cell) ? Number(cell) : Number.NaN;
  const fits = type === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
  return fits ? value : undefined;
}
