import type { DuckDBConnection } from "@duckdb/node-api";
import type { ReadingQuery, ReadingRows } from "../port.ts";
import { type Column, type Partition, sqlName } from "./partition.ts";
import type { Partitions } from "./partitions.ts";
import { integers, quoted, timestamp } from "./sql.ts";

type Value = number | boolean | null;

/** Tables of one statement: it grows from 1 while the limit is not reached, since the first day often is enough. */
const mostGroups = 32;

/** One measurement's rows from a snapshot of what is committed. */
export async function readRows(
  connection: DuckDBConnection,
  partitions: Partitions,
  query: ReadingQuery,
): Promise<ReadingRows> {
  // Chosen before the snapshot begins: tables are only ever added, so all of these are in it.
  const columns = partitions.columns(query.measurement);
  const groups = partitions.groups(query.measurement, query.from, query.to);
  if (query.order === "desc") groups.reverse();

  const rows = { time: [] as number[], series: [] as number[], values: columns.map((): Value[] => []) };
  await connection.run("BEGIN TRANSACTION READ ONLY");
  try {
    for (
      let at = 0, size = 1;
      at < groups.length && rows.time.length < query.limit;
      at += size, size = Math.min(size * 2, mostGroups)
    ) {
      const limit = query.limit - rows.time.length;
      const statement = select(groups.slice(at, at + size).flat(), columns, { ...query, limit });
      const result = await connection.run(statement);
      for (const chunk of await result.fetchAllChunks()) {
        chunk.appendColumnValues(0, rows.time);
        chunk.appendColumnValues(1, rows.series);
        for (const [i, values] of rows.values.entries()) chunk.appendColumnValues(i + 2, values);
      }
    }
  } finally {
    await connection.run("COMMIT").catch(() => undefined);
  }
  return { fields: columns.map(({ name }) => name), ...rows };
}

function select(tables: readonly Partition[], columns: readonly Column[], query: ReadingQuery): string {
  const from = Math.max(Math.ceil(query.from), Math.min(...tables.map((table) => table.from)));
  const to = Math.min(Math.ceil(query.to), Math.max(...tables.map((table) => table.to)));
  const where = `series IN (${integers(query.series)}) AND time >= ${timestamp(from)} AND time < ${timestamp(to)}`;
  const rows = tables.map((table) => {
    const names = new Set(table.columns.map(({ name }) => name));
    const fields = columns.map(
      ({ name, type }) => `, ${names.has(name) ? quoted(name) : "NULL"}::${readAs(type)}`,
    );
    return `SELECT time, series${fields.join("")} FROM ${sqlName(table)} WHERE ${where}`;
  });
  const names = columns.map((_, i) => `v${i}`);
  const direction = query.order === "desc" ? "DESC" : "ASC";
  return (
    `SELECT epoch_ms(time)::DOUBLE, series${names.map((name) => `, ${name}`).join("")} ` +
    `FROM (${rows.join(" UNION ALL ")}) AS found(${["time", "series", ...names].join(", ")}) ` +
    `ORDER BY time ${direction}, series LIMIT ${integers([query.limit])}`
  );
}

/** Whole numbers fit a double (|n| <= 2^53) and are a BigInt otherwise. */
function readAs(type: Column["type"]): string {
  return type === "BOOLEAN" ? "BOOLEAN" : "DOUBLE";
}

/** Rows in all tables; DuckDB knows each table's without reading it. */
export async function countRows(connection: DuckDBConnection, partitions: Partitions): Promise<number> {
  const tables = partitions.all();
  let rows = 0;
  await connection.run("BEGIN TRANSACTION READ ONLY");
  try {
    for (let at = 0; at < tables.length; at += tablesPerCount) {
      const counts = tables
        .slice(at, at + tablesPerCount)
        .map((table) => `SELECT count(*) AS rows FROM ${sqlName(table)}`);
      const result = await connection.runAndReadAll(
        `SELECT sum(rows)::DOUBLE FROM (${counts.join(" UNION ALL ")})`,
      );
      rows += result.getRowsJS()[0]![0] as number;
    }
  } finally {
    await connection.run("COMMIT").catch(() => undefined);
  }
  return rows;
}

const tablesPerCount = 200;
