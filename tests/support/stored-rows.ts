import { join } from "node:path";
import { pino } from "pino";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { type InfluxStoreOptions, openInfluxStore } from "#store/influxdb/index.ts";
import type { Store } from "#store/port.ts";

export interface StoredRow {
  readonly agency: string;
  readonly sensor: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly fields: Readonly<Record<string, number | boolean | string>>;
}

export interface StoredRows {
  /** Rows of all measurements, as the store counts them. */
  readonly count: number;
  /** In order of time. */
  readonly rows: readonly StoredRow[];
}

/** Reads a measurement out of the DuckDB store of a data folder that no platform has open. */
export async function storedRows(data: string, measurement: string): Promise<StoredRows> {
  await using store = await openDuckDbStore({ path: join(data, "store"), log: pino({ level: "silent" }) });
  return await rowsOf(store, measurement);
}

/** The same of a store in InfluxDB, whose local state is in that folder. */
export async function influxRows(
  data: string,
  measurement: string,
  influx: Pick<InfluxStoreOptions, "url" | "database" | "user" | "password">,
): Promise<StoredRows> {
  const path = join(data, "store");
  await using store = await openInfluxStore({ path, ...influx, log: pino({ level: "silent" }) });
  return await rowsOf(store, measurement);
}

/** A measurement's rows in any store. */
export async function rowsOf(store: Store, measurement: string): Promise<StoredRows> {
  const series = new Map(
    Array.from(await store.series())
      .filter((entry) => entry.measurement === measurement)
      .map((entry) => [entry.series, entry]),
  );
  const count = await store.count();
  if (series.size === 0) return { count, rows: [] };
  const query = {
    measurement,
    series: [...series.keys()],
    from: 0,
    to: 2 ** 52,
    limit: 10_000_000,
    order: "asc",
  } as const;
  const { fields, time, series: numbers, values } = await store.read(query);
  const rows = time.map((at, row): StoredRow => {
    const { agency, sensor } = series.get(numbers[row]!)!;
    const present = fields.flatMap((name, index) => {
      const value = values[index]?.[row] ?? null;
      return value === null ? [] : [[name, value] as const];
    });
    return { agency, sensor, time: at, fields: Object.fromEntries(present) };
  });
  return { count, rows };
}
