import {
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  TIMESTAMP_MS,
  UINTEGER,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import type { Member } from "./selection.ts";

/** What statements join to know whose a row is; of one connection alone, made anew for each scan. */
export interface MemberTable {
  readonly members: readonly Member[];
  /** Some belong to it for a part of the time: the table says from when until when. */
  readonly isTimed: boolean;
}

export const memberTable = "temp.main.scan_members";

/** What stands for no beginning and no end, ms since 1970. */
const earliest = Date.UTC(1000, 0);
const latest = Date.UTC(9999, 0);

const chunkRows = duckdb.vector_size();

export async function makeMemberTable(connection: DuckDBConnection, table: MemberTable): Promise<void> {
  const times = table.isTimed ? ", since TIMESTAMP_MS, until TIMESTAMP_MS" : "";
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE scan_members (series UINTEGER, k UINTEGER, g UINTEGER, condition UINTEGER${times})`,
  );
  const types: DuckDBType[] = [UINTEGER, UINTEGER, UINTEGER, UINTEGER];
  if (table.isTimed) types.push(TIMESTAMP_MS, TIMESTAMP_MS);
  const chunk = DuckDBDataChunk.create(types);
  const vectors = types.map((_, column) => duckdb.data_chunk_get_vector(chunk.chunk, column));
  const numbers = types.map((type) =>
    type === UINTEGER ? new Uint32Array(chunkRows) : new BigInt64Array(chunkRows),
  );
  const [series, keys, groups, conditions] = numbers as Uint32Array[];
  const [since, until] = numbers.slice(4) as unknown as BigInt64Array[];
  const appender = await connection.createAppender("scan_members", "main", "temp");
  try {
    for (let first = 0; first < table.members.length; first += chunkRows) {
      const count = Math.min(chunkRows, table.members.length - first);
      for (let row = 0; row < count; row++) {
        const member = table.members[first + row]!;
        series![row] = member.series;
        keys![row] = member.number;
        groups![row] = member.group;
        conditions![row] = member.condition;
        if (since === undefined || until === undefined) continue;
        since[row] = BigInt(Math.max(member.from, earliest));
        until[row] = BigInt(Math.min(member.to, latest));
      }
      chunk.reset();
      chunk.rowCount = count;
      for (const [column, { buffer, BYTES_PER_ELEMENT }] of numbers.entries())
        duckdb.copy_data_to_vector(vectors[column]!, 0, buffer, 0, count * BYTES_PER_ELEMENT);
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } catch (error) {
    appender.clear();
    throw error;
  }
  appender.closeSync();
}
