import type { DuckDBConnection } from "@duckdb/node-api";
import { ChunkWriter } from "./chunk-writer.ts";
import type { Columns } from "./columns.ts";
import { type Existing, fold, headsOf } from "./fold.ts";
import { quoted, timestamp } from "./sql.ts";
import type { StagedTable } from "./staging.ts";
import type { Tally } from "./tally.ts";

const probeWriter = new ChunkWriter(["DOUBLE"]);

/**
 * Merges a table's late rows, inside the caller's transaction and after the fresh ones were appended (their first
 * arrival came before). Returns how many rows the table gained.
 *
 * @param pending  A table that gets what changes too: whole rows, new or changed.
 */
export async function mergeLate(
  connection: DuckDBConnection,
  { partition, late, lateGateways }: StagedTable,
  writer: ChunkWriter,
  tally: Tally,
  pending: string | undefined,
): Promise<number> {
  const heads = headsOf(late);
  const between = timeRange(late);
  const existing = await findExisting(connection, partition, late, heads, between);
  const { inserts, updates } = fold(late, heads, existing, {
    isNew: (row) => tally.addNew(lateGateways[row]!),
    isMerged: (row) => tally.addMerged(lateGateways[row]!),
    isDuplicate: (row) => tally.addDuplicate(lateGateways[row]!),
  });
  if (inserts.length > 0) await append(connection, partition.table, writer, late.pick(inserts));
  if (updates.length > 0) {
    const table = quoted(partition.table);
    await connection.run(`CREATE OR REPLACE TEMP TABLE changed AS FROM ${table} LIMIT 0`);
    await append(connection, "changed", writer, late.pick(updates), "temp");
    const assignments = partition.columns.map(({ name }) => `${quoted(name)} = changed.${quoted(name)}`);
    await connection.run(
      `UPDATE ${table} AS kept SET ${assignments.join(", ")} FROM temp.main.changed AS changed
       WHERE kept.series = changed.series AND kept.time = changed.time AND kept.time ${between}`,
    );
  }
  if (pending !== undefined && inserts.length + updates.length > 0)
    await append(connection, pending, writer, late.pick([...inserts, ...updates]));
  return inserts.length;
}

/** Appends rows to a table within the connection's transaction. */
export async function append(
  connection: DuckDBConnection,
  table: string,
  writer: ChunkWriter,
  rows: Columns,
  catalog: string | null = null,
): Promise<void> {
  const appender = await connection.createAppender(table, "main", catalog);
  try {
    writer.write(appender, rows);
    appender.flushSync();
  } catch (error) {
    // Left as it is, it would append its rest when it is collected, into whatever transaction is then open.
    appender.clear();
    throw error;
  }
  appender.closeSync();
}

/** What the table has under the late rows' keys. Pruned by time: without, each batch scanned the whole table. */
async function findExisting(
  connection: DuckDBConnection,
  { table, columns }: StagedTable["partition"],
  late: Columns,
  heads: Int32Array,
  between: string,
): Promise<Existing> {
  const firsts: number[] = [];
  for (let row = 0; row < late.length; row++) if (heads[row] === row) firsts.push(row);
  const probe = late.pick(firsts);
  probe.values = [Float64Array.from(firsts)];
  await connection.run(
    "CREATE OR REPLACE TEMP TABLE probe (time TIMESTAMP_MS, series UINTEGER, late DOUBLE)",
  );
  await append(connection, "probe", probeWriter, probe, "temp");

  const fields = columns.map(({ name }) => `, kept.${quoted(name)}::DOUBLE`).join("");
  const result = await connection.run(
    `SELECT probe.late${fields} FROM temp.main.probe AS probe JOIN ${quoted(table)} AS kept
     ON kept.series = probe.series AND kept.time = probe.time WHERE kept.time ${between}`,
  );
  const found = new Uint8Array(late.length);
  const values = columns.map(() => new Float64Array(late.length));
  for (const chunk of await result.fetchAllChunks()) {
    const rows = chunk.getColumnVector(0);
    for (let i = 0; i < chunk.rowCount; i++) found[rows.getItem(i) as number] = 1;
    for (const [field, target] of values.entries()) {
      const vector = chunk.getColumnVector(field + 1);
      for (let i = 0; i < chunk.rowCount; i++) {
        target[rows.getItem(i) as number] = (vector.getItem(i) as number | null) ?? Number.NaN;
      }
    }
  }
  return { found, values };
}

function timeRange({ time, length }: Columns): string {
  let first = time[0]!;
  let last = first;
  for (let row = 1; row < length; row++) {
    if (time[row]! < first) first = time[row]!;
    else if (time[row]! > last) last = time[row]!;
  }
  return `BETWEEN ${timestamp(first)} AND ${timestamp(last)}`;
}
