import type { DuckDBConnection } from "@duckdb/node-api";
import { ChunkWriter } from "./chunk-writer.ts";
import type { Columns } from "./columns.ts";
import { type Counter, type Existing, fold, headsOf } from "./fold.ts";
import { type Partition, type Place, sqlName } from "./partition.ts";
import { quoted, timestamp } from "./sql.ts";
import type { StagedTable } from "./staging.ts";
import type { Texts } from "./texts.ts";

const probeWriter = new ChunkWriter(["DOUBLE"]);

/**
 * Merges a table's late rows, inside the caller's transaction and after the fresh ones were appended (their first
 * arrival came before). Returns how many rows the table gained.
 *
 * @param counter  Is told of each row, in order.
 * @param pending  A table that gets what changes too: whole rows, new or changed.
 */
export async function mergeLate(
  connection: DuckDBConnection,
  { partition, late }: Pick<StagedTable, "partition" | "late">,
  into: { writer: ChunkWriter; counter: Counter; pending: Target | undefined; texts?: Texts | undefined },
): Promise<number> {
  const { writer, counter, pending, texts } = into;
  const heads = headsOf(late);
  const between = timeRange(late);
  const existing = await findExisting(connection, partition, late, { heads, between, texts });
  const { inserts, updates } = fold(late, heads, existing, counter);
  if (inserts.length > 0) await append(connection, partition, writer, late.pick(inserts), texts);
  if (updates.length > 0) {
    const table = sqlName(partition);
    await connection.run(`CREATE OR REPLACE TEMP TABLE changed AS FROM ${table} LIMIT 0`);
    await append(connection, temporary("changed"), writer, late.pick(updates), texts);
    const assignments = partition.columns.map(({ name }) => `${quoted(name)} = changed.${quoted(name)}`);
    await connection.run(
      `UPDATE ${table} AS kept SET ${assignments.join(", ")} FROM temp.main.changed AS changed
       WHERE kept.series = changed.series AND kept.time = changed.time AND kept.time ${between}`,
    );
  }
  if (pending !== undefined && inserts.length + updates.length > 0)
    await append(connection, pending, writer, late.pick([...inserts, ...updates]), texts);
  return inserts.length;
}

/** A table to append to. */
export interface Target {
  readonly place: Place;
  readonly table: string;
  readonly catalog?: "temp";
}

function temporary(table: string): Target {
  return { place: "main", table, catalog: "temp" };
}

/** Appends rows to a table within the connection's transaction. */
export async function append(
  connection: DuckDBConnection,
  { place, table, catalog }: Target,
  writer: ChunkWriter,
  rows: Columns,
  texts?: Texts,
): Promise<void> {
  const appender = await connection.createAppender(table, place, catalog ?? null);
  try {
    writer.write(appender, rows, texts);
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
  partition: Partition,
  late: Columns,
  { heads, between, texts }: { heads: Int32Array; between: string; texts: Texts | undefined },
): Promise<Existing> {
  const { columns } = partition;
  const firsts: number[] = [];
  for (let row = 0; row < late.length; row++) if (heads[row] === row) firsts.push(row);
  const probe = late.pick(firsts);
  probe.values = [Float64Array.from(firsts)];
  await connection.run(
    "CREATE OR REPLACE TEMP TABLE probe (time TIMESTAMP_MS, series UINTEGER, late DOUBLE)",
  );
  await append(connection, temporary("probe"), probeWriter, probe);

  const fields = columns.map(
    ({ name, type }) => `, kept.${quoted(name)}${type === "VARCHAR" ? "" : "::DOUBLE"}`,
  );
  const result = await connection.run(
    `SELECT probe.late${fields.join("")} FROM temp.main.probe AS probe JOIN ${sqlName(partition)} AS kept
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
        const value = vector.getItem(i) as number | string | null;
        target[rows.getItem(i) as number] =
          typeof value === "string" ? texts!.numberOf(value) : (value ?? Number.NaN);
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
