import type { DuckDBConnection } from "@duckdb/node-api";
import { MarsadError } from "#runtime/errors.ts";
import { SeriesTable } from "#telemetry/series-table.ts";
import type { GatewayTally, StoreRefusal } from "../port.ts";
import { type Column, columnTypes, parseTableName } from "./partition.ts";
import { Partitions } from "./partitions.ts";
import { quoted } from "./sql.ts";

/** The version of the tables' layout, kept in `meta`. */
export const schemaVersion = 1;

/** Everything that is not a table of readings. Tallies are kept as changes: an UPDATE costs three times an append. */
const tables = `
  CREATE TABLE IF NOT EXISTS meta (version UINTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS series (series UINTEGER, measurement VARCHAR, agency VARCHAR, sensor VARCHAR);
  CREATE TABLE IF NOT EXISTS journal (uuid VARCHAR, position BIGINT);
  CREATE TABLE IF NOT EXISTS tally_change (gateway VARCHAR, stored BIGINT, merged BIGINT, duplicate BIGINT);
  CREATE TABLE IF NOT EXISTS refusal
    (journal VARCHAR, position BIGINT, gateway VARCHAR, agency VARCHAR, detail VARCHAR, readings BIGINT, lines VARCHAR);
  CREATE TABLE IF NOT EXISTS rewritten (name VARCHAR, rows BIGINT);
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
  if (present.size > 0) {
    const version = (await column<number>(connection, "SELECT version FROM meta"))[0] ?? 0;
    if (version > schemaVersion) {
      throw new MarsadError(
        "STORE_FORMAT",
        `${path} has layout ${version}, this version knows up to ${schemaVersion}; use the newer version that wrote it`,
      );
    }
  }
  await connection.run("BEGIN TRANSACTION");
  await connection.run(tables);
  await connection.run("COMMIT");
}

export async function readPartitions(connection: DuckDBConnection): Promise<Partitions> {
  const rows = await connection.runAndReadAll(
    `SELECT tables.table_name, tables.estimated_size::DOUBLE, columns.column_name, columns.data_type
     FROM duckdb_tables() AS tables JOIN duckdb_columns() AS columns USING (table_oid)
     WHERE NOT tables.temporary ORDER BY tables.table_name, columns.column_index`,
  );
  const found = new Map<string, { rows: number; columns: Column[] }>();
  for (const [table, size, name, type] of rows.getRowsJS() as [string, number, string, string][]) {
    let entry = found.get(table);
    if (entry === undefined) found.set(table, (entry = { rows: size, columns: [] }));
    const columnType = columnTypes.find((candidate) => candidate === type);
    if (columnType !== undefined && name !== "time" && name !== "series") {
      entry.columns.push({ name, type: columnType });
    }
  }
  const partitions = new Partitions();
  for (const [table, { rows, columns }] of found) {
    const named = parseTableName(table);
    if (named !== undefined) partitions.put({ ...named, rows, columns });
  }
  return partitions;
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
    const selects = group.map(({ table }) => `SELECT max(time) AS time FROM ${quoted(table)}`);
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
