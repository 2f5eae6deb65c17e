import type { DuckDBConnection } from "@duckdb/node-api";
import { MarsadError } from "#runtime/errors.ts";
import { SeriesTable } from "#telemetry/series-table.ts";
import type { GatewayTally, StoreRefusal } from "../port.ts";
import { allMinutes } from "./dirty.ts";
import { type Column, type Place, columnTypes, parseTableName, places, sqlName } from "./partition.ts";
import { Partitions } from "./partitions.ts";
import { ResultSeries } from "./result-series.ts";

/** The version of the tables' layout, kept in `meta`. Before 2 there were no results, and no marks of what is to be rolled up. */
export const schemaVersion = 2;

/** Everything that is not a table of readings. Tallies are kept as changes: an UPDATE costs three times an append. */
const tables = `
  CREATE TABLE IF NOT EXISTS meta (version UINTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS series (series UINTEGER, measurement VARCHAR, agency VARCHAR, sensor VARCHAR);
  CREATE TABLE IF NOT EXISTS journal (uuid VARCHAR, position BIGINT);
  CREATE TABLE IF NOT EXISTS tally_change (gateway VARCHAR, stored BIGINT, merged BIGINT, duplicate BIGINT);
  CREATE TABLE IF NOT EXISTS refusal
    (journal VARCHAR, position BIGINT, gateway VARCHAR, agency VARCHAR, detail VARCHAR, readings BIGINT, lines VARCHAR);
  CREATE TABLE IF NOT EXISTS rewritten (name VARCHAR, rows BIGINT);
  CREATE TABLE IF NOT EXISTS dirty (measurement VARCHAR, hour TIMESTAMP_MS, minutes UBIGINT, mark BIGINT);
  CREATE TABLE IF NOT EXISTS result_series (series UINTEGER, measurement VARCHAR, tags VARCHAR);
  ${places.map((place) => `CREATE SCHEMA IF NOT EXISTS ${place};`).join("\n  ")}
  CREATE VIEW IF NOT EXISTS tally AS
    SELECT gateway, sum(stored)::BIGINT AS stored, sum(merged)::BIGINT AS merged, sum(duplicate)::BIGINT AS duplicate
    FROM tally_change GROUP BY gateway ORDER BY gateway;
  INSERT INTO meta SELECT ${schemaVersion} WHERE NOT EXISTS (FROM meta);
`;

/** Makes the fixed tables where they are missing. @throws MarsadError STORE_FORMAT */
export async function ensureSchema(connection: DuckDBConnection, path: string): Promise<void> {
  const present = new Set(
    await column<string>(connection, "SELECT table_name FROM duckdb_tables() WHERE NOT temporary"),
  );
  if (present.size > 0 && !present.has("meta")) {
    throw new MarsadError("STORE_FORMAT", `${path} is a DuckDB file, but none of Marsad's`);
  }
  let version = schemaVersion;
  if (present.size > 0) {
    version = (await column<number>(connection, "SELECT version FROM meta"))[0] ?? 0;
    if (version > schemaVersion) {
      throw new MarsadError(
        "STORE_FORMAT",
        `${path} has layout ${version}, this version knows up to ${schemaVersion}; use the newer version that wrote it`,
      );
    }
  }
  await connection.run("BEGIN TRANSACTION");
  await connection.run(tables);
  if (version < 2) await markAll(connection);
  if (version < schemaVersion) await connection.run(`UPDATE meta SET version = ${schemaVersion}`);
  await connection.run("COMMIT");
}

/** Every hour with readings is to be rolled up: they were stored when nobody kept marks. */
async function markAll(connection: DuckDBConnection): Promise<void> {
  for (const partition of (await readPartitions(connection)).get("main")!.all()) {
    await connection.run(
      `INSERT INTO dirty SELECT DISTINCT $measurement, time_bucket(INTERVAL 1 hour, time)::TIMESTAMP_MS, ${allMinutes}, 1
       FROM ${sqlName(partition)}`,
      { measurement: partition.measurement },
    );
  }
}

export async function readPartitions(connection: DuckDBConnection): Promise<Map<Place, Partitions>> {
  const rows = await connection.runAndReadAll(
    `SELECT tables.schema_name, tables.table_name, tables.estimated_size::DOUBLE, columns.column_name, columns.data_type
     FROM duckdb_tables() AS tables JOIN duckdb_columns() AS columns USING (database_oid, table_oid)
     WHERE NOT tables.temporary ORDER BY tables.schema_name, tables.table_name, columns.column_index`,
  );
  type Row = [place: string, table: string, rows: number, column: string, type: string];
  const found = new Map<string, { place: string; table: string; rows: number; columns: Column[] }>();
  for (const [place, table, size, name, type] of rows.getRowsJS() as Row[]) {
    const id = `${place}.${table}`;
    let entry = found.get(id);
    if (entry === undefined) found.set(id, (entry = { place, table, rows: size, columns: [] }));
    const columnType = columnTypes.find((candidate) => candidate === type);
    if (columnType !== undefined && name !== "time" && name !== "series") {
      entry.columns.push({ name, type: columnType });
    }
  }
  const byPlace = new Map(places.map((place) => [place, new Partitions(place)]));
  for (const { place, table, rows: size, columns } of found.values()) {
    const partitions = byPlace.get(place as Place);
    const named = parseTableName(table);
    if (named !== undefined) partitions?.put({ place: partitions.place, ...named, rows: size, columns });
  }
  return byPlace;
}

/** Each measurement's latest stored time, ms since 1970: only its newest tables are asked. */
export async function readFloors(
  connection: DuckDBConnection,
  partitions: Partitions,
): Promise<Map<string, number>> {
  const newest = [...new Set(partitions.all().map(({ measurement }) => measurement))].map((measurement) =>
    partitions.groups(measurement, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).at(-1)!,
  );
  const floors = new Map<string, number>();
  for (const group of newest) {
    const selects = group.map((table) => `SELECT max(time) AS time FROM ${sqlName(table)}`);
    const [latest] = await column<number | null>(
      connection,
      `SELECT epoch_ms(max(time))::DOUBLE FROM (${selects.join(" UNION ALL ")})`,
    );
    // Without a row the table's end will do: a floor that is too late costs only a look.
    floors.set(group[0]!.measurement, latest ?? Math.max(...group.map(({ to }) => to)) - 1);
  }
  return floors;
}

export async function readSeries(connection: DuckDBConnection): Promise<SeriesTable> {
  const table = new SeriesTable();
  const result = await connection.stream(
    "SELECT series, measurement, agency, sensor FROM series ORDER BY series",
  );
  // Chunk by chunk: there can be a million.
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return table;
    const [numbers, measurements, agencies, sensors] = chunk.getColumns() as [
      number[],
      string[],
      string[],
      string[],
    ];
    for (const [row, series] of numbers.entries()) {
      const [measurement, agency, sensor] = [measurements[row]!, agencies[row]!, sensors[row]!];
      table.add({ series, measurement, agency, sensor });
    }
  }
}

export async function readResultSeries(connection: DuckDBConnection): Promise<ResultSeries> {
  const rows = await connection.runAndReadAll(
    "SELECT series, measurement, tags FROM result_series ORDER BY series",
  );
  const series = new ResultSeries();
  for (const [number, measurement, tags] of rows.getRowsJS() as [number, string, string][])
    series.add({ number, measurement, tags });
  return series;
}

export async function readPositions(connection: DuckDBConnection): Promise<Map<string, number>> {
  const rows = await connection.runAndReadAll("SELECT uuid, position::DOUBLE FROM journal");
  return new Map(rows.getRowsJS() as [string, number][]);
}

/** Table -> how many of its rows, the first, stand in series order. */
export async function readRewritten(connection: DuckDBConnection): Promise<Map<string, number>> {
  const rows = await connection.runAndReadAll("SELECT name, rows::DOUBLE FROM rewritten");
  return new Map(rows.getRowsJS() as [string, number][]);
}

export async function readTallies(connection: DuckDBConnection): Promise<GatewayTally[]> {
  const rows = await connection.runAndReadAll(
    "SELECT gateway, stored::DOUBLE, merged::DOUBLE, duplicate::DOUBLE FROM tally",
  );
  return (rows.getRowsJS() as [string, number, number, number][]).map(
    ([gateway, stored, merged, duplicate]) => ({ gateway, stored, merged, duplicate }),
  );
}

export async function readRefusals(connection: DuckDBConnection, journal: string): Promise<StoreRefusal[]> {
  const rows = await connection.runAndReadAll(
    `SELECT position::DOUBLE, gateway, agency, detail, readings::DOUBLE, lines
     FROM refusal WHERE journal = $journal ORDER BY position, rowid`,
    { journal },
  );
  return (rows.getRowsJS() as [number, string, string, string, number, string][]).map(
    ([position, gateway, agency, detail, readings, lines]) => ({
      position,
      gateway,
      agency,
      detail,
      readings,
      lines,
    }),
  );
}

export async function deleteRefusals(
  connection: DuckDBConnection,
  journal: string,
  before: number,
): Promise<void> {
  await connection.run("DELETE FROM refusal WHERE journal = $journal AND position < $before", {
    journal,
    before,
  });
}

async function column<T>(connection: DuckDBConnection, sql: string): Promise<T[]> {
  const rows = await connection.runAndReadAll(sql);
  return rows.getRowsJS().map((row) => row[0] as T);
}
