import type { DuckDBConnection } from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";

/** A statement's columns, UINTEGER or DOUBLE and never NULL: copied as they stand, 7 ns a value. */
export async function fetchNumbers<const Types extends readonly ("UINTEGER" | "DOUBLE")[]>(
  connection: DuckDBConnection,
  statement: string,
  types: Types,
): Promise<{ [K in keyof Types]: Types[K] extends "UINTEGER" ? Uint32Array : Float64Array }> {
  const result = await connection.run(statement);
  const chunks = await result.fetchAllChunks();
  const rows = chunks.reduce((sum, { rowCount }) => sum + rowCount, 0);
  const columns = types.map((type) => (type === "UINTEGER" ? new Uint32Array(rows) : new Float64Array(rows)));
  let at = 0;
  for (const { chunk, rowCount } of chunks) {
    for (const [i, column] of columns.entries()) {
      const vector = duckdb.data_chunk_get_vector(chunk, i);
      const bytes = duckdb.vector_get_data(vector, rowCount * column.BYTES_PER_ELEMENT);
      new Uint8Array(column.buffer).set(bytes, at * column.BYTES_PER_ELEMENT);
    }
    at += rowCount;
  }
  return columns as { [K in keyof Types]: Types[K] extends "UINTEGER" ? Uint32Array : Float64Array };
}
