import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { makeCatalogue } from "#telemetry/catalogue.ts";
import type { Catalogue, Measurement } from "#telemetry/catalogue.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "#telemetry/decode.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import type { Rejection } from "#telemetry/rejection.ts";

export const now = 1_763_860_000_000;
export const minute = 60_000;
export const day = 86_400_000;
/** The gateway that sends, and another. */
export const own = 7;
export const other = 8;

/** The built-in measurements and one with fields of every type. */
const valve: Measurement = {
  name: "valve",
  domain: "test",
  title: { en: "Valve", ar: "صمام" },
  period_s: 60,
  seasons: [],
  bad: "none",
  fields: [
    field("open", "boolean", [0, 1]),
    field("cycles", "integer", [0, null]),
    field("cycles_left", "integer", [null, null]),
    field("torque", "float", [null, null]),
  ],
};
export const catalogue: Catalogue = makeCatalogue([...builtinCatalogue.measurements, valve]);

function field(
  name: string,
  type: "boolean" | "integer" | "float",
  physical: [number | null, number | null],
) {
  const title = { en: name, ar: name };
  return { name, type, kind: "gauge" as const, unit: "1", physical, plausible: physical, title };
}

/** Sensors by the letter their id begins with: `f` another gateway's, `r` retired, `u` unknown, all others the sender's. */
export const resolve: ResolveSeries = (measurement, sensor) => {
  if (sensor.startsWith("u")) return "unknown-sensor";
  if (sensor.startsWith("r")) return "sensor-retired";
  let series = 0;
  for (const letter of `${measurement} ${sensor}`) series = (series * 31 + letter.charCodeAt(0)) >>> 0;
  return { series, gateway: sensor.startsWith("f") ? other : own };
};

export interface Trial {
  readonly context: DecodeContext;
  readonly rejections: Rejection[];
  /** Rows by measurement: time, series, and the fields that are there. */
  readonly rows: () => Record<string, { time: number; series: number; values: Record<string, number> }[]>;
  /** Rows of each gateway by measurement. */
  readonly runs: () => Record<string, number[]>;
}

export function trial(seen?: (ordinal: number) => boolean): Trial {
  const tables = catalogue.measurements.map((measurement) => new ReadingTable(measurement, 4));
  const rejections: Rejection[] = [];
  const context: DecodeContext = {
    tables,
    gateway: own,
    now,
    maxFuture: 5 * minute,
    maxAge: 400 * day,
    seen,
    reject: (rejection) => void rejections.push(rejection),
  };
  return {
    context,
    rejections,
    rows: () => Object.fromEntries(nonEmpty(tables).map((table) => [table.measurement.name, rowsOf(table)])),
    runs: () =>
      Object.fromEntries(nonEmpty(tables).map(({ measurement, runs }) => [measurement.name, [...runs]])),
  };
}

function nonEmpty(tables: readonly ReadingTable[]): ReadingTable[] {
  return tables.filter(({ length }) => length > 0);
}

function rowsOf(table: ReadingTable): { time: number; series: number; values: Record<string, number> }[] {
  return Array.from({ length: table.length }, (_, row) => ({
    time: table.time[row]!,
    series: table.series[row]!,
    values: Object.fromEntries(
      table.measurement.fields.flatMap(({ name }, index) => {
        const value = table.values[index]![row]!;
        return Number.isNaN(value) ? [] : [[name, value]];
      }),
    ),
  }));
}

/** A count's numbers: the scanner gives the same object each time. */
export function counted({ accepted, seen, refused }: DecodeCount): DecodeCount {
  return { accepted, seen, refused };
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
