import type { DuckDBConnection } from "@duckdb/node-api";
import type { Target } from "./merge.ts";
import { type Partition, type Place, idOf, sqlName } from "./partition.ts";
import { quoted, timestamp } from "./sql.ts";

/** The table's rows in series order, as far as they are copied. */
const copyTable = "rewrite_copy";
/** Rows of the table that were written since the copy began, whole, in order of writing. */
const pendingTable = "rewrite_pending";

export interface RewriteLimits {
  /**
   * Fewest and most rows sorted at a time; between them, so many that there are `pieces`. In a larger piece a series stands together for longer: one series' day out of 30 million
   * rows took 6.7 ms from pieces of 1 million, 3.5 from 2, 2.7 from 4; sorting them took 250, 380 and 550 MB of memory.
   */
  readonly pieceRows: readonly [fewest: number, most: number];
  /** With more rows written meanwhile the rewrite is given up, and begun again when the table is quiet. */
  readonly mostPending: number;
  /** What is left over on the disk for other things than the copy. */
  readonly reserve_bytes: number;
}

export const rewriteLimits: RewriteLimits = {
  pieceRows: [1_000_000, 4_000_000],
  mostPending: 2_000_000,
  reserve_bytes: 256 * 1024 * 1024,
};

const pieces = 48;

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
}

/**
 * A table on its way into series order. It stays what it is, for readers and for the writer, until `swap`; what the writer does to it
 * meanwhile it does to the pending table too, in the same transaction. Copying a piece and applying what is pending may be done
 * again without harm, so that each piece may see any state of the table: what it missed or saw is pending.
 */
export class Rewrite {
  readonly partition: Partition;
  /** As SQL names them: a copy can take the table's place in its own schema alone. */
  readonly copy: string;
  readonly pending: string;
  /** Undefined until they are known. */
  pieces: Piece[] | undefined;
  /** The last row of the pending table that is in the copy. */
  applied = -1;
  /** The table got another layout, or too much was written into it: the copy is worth nothing. */
  stale = false;
  /** Rows that may still be written. */
  #room: number;

  constructor(partition: Partition, mostPending: number) {
    this.partition = partition;
    this.copy = sqlName({ place: partition.place, table: copyTable });
    this.pending = sqlName({ place: partition.place, table: pendingTable });
    this.#room = mostPending;
  }

  /**
   * The table that takes the same rows as `partition`, into which so many are about to be written; undefined if that is not the one rewritten.
   * The rows are counted here, since it may be long until the next step: while the store is held or behind, there is none.
   */
  pendingFor(partition: Partition, rows: number): Target | undefined {
    if (idOf(partition) !== idOf(this.partition) || this.stale) return undefined;
    this.#room -= rows;
    if (this.#room >= 0 && layoutOf(partition) === layoutOf(this.partition))
      return { place: partition.place, table: pendingTable };
    this.stale = true;
    return undefined;
  }
}

function layoutOf({ columns }: Partition): string {
  return columns.map(({ name, type }) => `${quoted(name)} ${type}`).join();
}

/** Makes the two tables of a rewrite, empty, where `dropLeftovers` has left none. From here on the writer must ask `pendingFor`. */
export async function begin(
  writer: DuckDBConnection,
  partition: Partition,
  { mostPending }: RewriteLimits,
): Promise<Rewrite> {
  const rewrite = new Rewrite(partition, mostPending);
  await inTransaction(writer, async () => {
    for (const name of [rewrite.copy, rewrite.pending])
      await writer.run(`CREATE TABLE ${name} AS FROM ${sqlName(partition)} LIMIT 0`);
  });
  return rewrite;
}

/** Removes what a rewrite left that did not end. */
export async function dropLeftovers(writer: DuckDBConnection): Promise<void> {
  const left = await writer.runAndReadAll(
    `SELECT schema_name, table_name FROM duckdb_tables()
     WHERE NOT temporary AND table_name IN ('${copyTable}', '${pendingTable}')`,
  );
  if (left.currentRowCount === 0) return;
  await inTransaction(writer, async () => {
    for (const [place, table] of left.getRowsJS() as [Place, string][])
      await writer.run(`DROP TABLE ${sqlName({ place, table })}`);
  });
}

/** Cuts the table by time, on whole minutes, into pieces of so many rows or a little more. */
export async function planPieces(
  builder: DuckDBConnection,
  { partition }: Rewrite,
  [fewest, most]: RewriteLimits["pieceRows"],
): Promise<Piece[]> {
  const minutes = await builder.runAndReadAll(
    `SELECT epoch_ms(time) // 60000 AS minute, count(*)::DOUBLE
     FROM ${sqlName(partition)} GROUP BY minute ORDER BY minute`,
  );
  const pieceRows = Math.min(Math.max(partition.rows / pieces, fewest), most);
  const planned: Piece[] = [];
  let { from } = partition;
  let rows = 0;
  for (const [minute, count] of minutes.getRowsJS() as [bigint, number][]) {
    rows += count;
    if (rows < pieceRows) continue;
    const to = Math.min((Number(minute) + 1) * 60_000, partition.to);
    planned.push({ from, to, rows });
    from = to;
    rows = 0;
  }
  if (from < partition.to) planned.push({ from, to: partition.to, rows });
  return planned;
}

/** Copies a piece in series order, and compares it with what it was copied from. */
export async function copyPiece(
  builder: DuckDBConnection,
  { partition, copy }: Rewrite,
  { from, to }: Piece,
): Promise<void> {
  const where = `WHERE time >= ${timestamp(from)} AND time < ${timestamp(to)}`;
  await inTransaction(builder, async () => {
    await builder.run(`INSERT INTO ${copy} FROM ${sqlName(partition)} ${where} ORDER BY series, time`);
    const sums = await builder.runAndReadAll(
      [sqlName(partition), copy]
        .map(
          (table) => `SELECT count(*)::DOUBLE, bit_xor(hash(rows))::VARCHAR FROM ${table} AS rows ${where}`,
        )
        .join(" UNION ALL "),
    );
    const [original, copied] = sums.getRowsJS().map(String);
    if (original !== copied)
      throw new Error(`${partition.table}: a piece was copied as ${copied} (rows, sum), and is ${original}`);
  });
}

/** How many rows wait to be brought into the copy. */
export async function pendingRows(
  connection: DuckDBConnection,
  { applied, pending }: Rewrite,
): Promise<number> {
  const [count] = await numbers(
    connection,
    `SELECT count(*)::DOUBLE FROM ${pending} WHERE rowid > ${applied}`,
  );
  return count!;
}

/** Brings into the copy what was written since; only the last of each key counts. */
export async function applyPending(connection: DuckDBConnection, rewrite: Rewrite): Promise<void> {
  const last = await inTransaction(connection, () => apply(connection, rewrite));
  rewrite.applied = last;
}

/**
 * Puts the copy in the table's place. A query whose snapshot has the old table goes on to read that: as long as there is one, DuckDB refuses
 * the checkpoint that would give its blocks to others.
 * @returns how many rows the table has.
 * @throws an `Error`: the copy does not have as many rows as the table; both are as they were.
 */
export async function swap(
  writer: DuckDBConnection,
  rewrite: Rewrite,
  commit: (connection: DuckDBConnection) => Promise<void>,
): Promise<number> {
  const { copy, pending, partition } = rewrite;
  const id = idOf(partition);
  const table = sqlName(partition);
  // In a transaction of its own. In the one that renames, DuckDB 1.5 logs an UPDATE under the new name, before the DROP: read again after
  // a crash, it changes the old table, and is gone with it.
  await applyPending(writer, rewrite);
  return await inTransaction(
    writer,
    async () => {
      const [rows, copied] = await numbers(
        writer,
        `SELECT (SELECT count(*) FROM ${table})::DOUBLE, (SELECT count(*) FROM ${copy})::DOUBLE`,
      );
      if (rows !== copied) throw new Error(`${id} has ${rows} rows, and its copy ${copied}`);
      await writer.run(`DROP TABLE ${table}`);
      await writer.run(`ALTER TABLE ${copy} RENAME TO ${quoted(partition.table)}`);
      await writer.run(`DROP TABLE ${pending}`);
      await writer.run("DELETE FROM rewritten WHERE name = $id", { id });
      await writer.run("INSERT INTO rewritten VALUES ($id, $rows)", { id, rows: rows! });
      return rows!;
    },
    commit,
  );
}

async function apply(
  connection: DuckDBConnection,
  { partition, applied, copy, pending }: Rewrite,
): Promise<number> {
  const [last, first_ms, last_ms] = await numbers(
    connection,
    `SELECT max(rowid)::DOUBLE, epoch_ms(min(time))::DOUBLE, epoch_ms(max(time))::DOUBLE
     FROM ${pending} WHERE rowid > ${applied}`,
  );
  if (last == null) return applied;
  // By key as by number of the row: DuckDB's DISTINCT ON promises no more, and costs a sort.
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE written AS FROM ${pending} AS rows WHERE rowid IN
       (SELECT max(rowid) FROM ${pending} WHERE rowid > ${applied} GROUP BY series, time)`,
  );
  const same =
    "kept.series = written.series AND kept.time = written.time AND " +
    `kept.time BETWEEN ${timestamp(first_ms!)} AND ${timestamp(last_ms!)}`;
  const fields = partition.columns.map(({ name }) => `${quoted(name)} = written.${quoted(name)}`);
  if (fields.length > 0)
    await connection.run(
      `UPDATE ${copy} AS kept SET ${fields.join(", ")} FROM temp.main.written AS written WHERE ${same}`,
    );
  await connection.run(
    `INSERT INTO ${copy} SELECT written.* FROM temp.main.written AS written
     WHERE NOT EXISTS (FROM ${copy} AS kept WHERE ${same}) ORDER BY written.series, written.time`,
  );
  await connection.run("DROP TABLE temp.main.written");
  return last;
}

async function inTransaction<T>(
  connection: DuckDBConnection,
  work: () => Promise<T>,
  commit = async (to: DuckDBConnection): Promise<void> => void (await to.run("COMMIT")),
): Promise<T> {
  await connection.run("BEGIN TRANSACTION");
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // After some errors DuckDB has rolled back by itself, and says so here.
    await connection.run("ROLLBACK").catch(() => undefined);
    throw error;
  }
  await commit(connection);
  return result;
}

async function numbers(connection: DuckDBConnection, sql: string): Promise<(number | null)[]> {
  return (await connection.runAndReadAll(sql)).getRowsJS()[0] as (number | null)[];
}
