import type { DuckDBConnection } from "@duckdb/node-api";
import { addUpMarks } from "./dirty.ts";

/** Changes after which the tallies are added up. */
const mostTallyChanges = 10_000;

/** Moves what is in the `.wal` into the file, and adds up tallies and marks when they have become many. */
export async function checkpoint(connection: DuckDBConnection): Promise<void> {
  const changes = await connection.runAndReadAll("SELECT count(*)::DOUBLE FROM tally_change");
  if ((changes.getRowsJS()[0]![0] as number) > mostTallyChanges) await addUpTallies(connection);
  await addUpMarks(connection);
  await connection.run("CHECKPOINT");
}

async function addUpTallies(connection: DuckDBConnection): Promise<void> {
  await connection.run("BEGIN TRANSACTION");
  try {
    await connection.run("CREATE OR REPLACE TEMP TABLE added_up AS FROM tally");
    await connection.run("DELETE FROM tally_change");
    await connection.run("INSERT INTO tally_change FROM temp.main.added_up");
    await connection.run("COMMIT");
  } catch (error) {
    await connection.run("ROLLBACK").catch(() => undefined);
    throw error;
  }
}
