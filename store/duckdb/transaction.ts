import type { DuckDBConnection } from "@duckdb/node-api";

/** The commit failed, and only the file can say whether it took place: the session must be opened again. */
export class UncertainCommit extends Error {}

export async function inTransaction<T>(connection: DuckDBConnection, work: () => Promise<T>): Promise<T> {
  await connection.run("BEGIN TRANSACTION");
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // After some errors DuckDB has rolled back by itself, and says so here.
    await connection.run("ROLLBACK").catch(() => undefined);
    throw error;
  }
  try {
    await connection.run("COMMIT");
  } catch (error) {
    throw new UncertainCommit(error instanceof Error ? error.message : String(error), { cause: error });
  }
  return result;
}
