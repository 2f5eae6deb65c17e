import {
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  TIMESTAMP_MS,
  UINTEGER,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import type { Member } from "./selection.ts";

/** What statements join to know whose a row is; of one connection alone. */
export interface MemberTable {
  readonly members: readonly Member[];
  /** Some belong to it for a part of the time: the table says from when until when. */
  readonly isTimed: boolean;
  /** Of the selection that it is made for: made once, then kept. Undefined: made anew for each scan. */
  readonly number: number | undefined;
}

export function memberTableName(table: Pick<MemberTable, "number">): string {
  return `temp.main.${plainName(table)}`;
}

function plainName({ number }: Pick<MemberTable, "number">): string {
  return `scan_members${number === undefined ? "" : `_${number}`}`;
}

/** What stands for no beginning and no end, ms since 1970. */
const earliest = Date.UTC(1000, 0);
const latest = Date.UTC(9999, 0);

const chunkRows = duckdb.vector_size();
/** Tables of a connection. */
const mostKept = 32;
/** By connection, the numbers of its tables; the latest used last. */
const kept = new WeakMap<DuckDBConnection, Set<number>>();

/** Makes it, unless the connection still has it. */
export async function makeMemberTable(connection: DuckDBConnection, table: MemberTable): Promise<void> {
  const { number } = table;
  if (number === undefined) return await writeMemberTable(connection, table);
  const numbers = kept.get(connection) ?? new Set();
  kept.set(connection, numbers);
  if (numbers.delete(number)) {
    numbers.add(number);
    return;
  }
  for (const oldest of numbers) {
    if (numbers.size < mostKept) break;
    await connection.run(`DROP TABLE ${memberTableName({ number: oldest })}`);
    numbers.delete(oldest);
  }
  await writeMemberTable(connection, table);
  numbers.add(number);
}

async function writeMemberTable(connection: DuckDBConnection, table: MemberTable): Promise<void> {
  const times = table.isTimed ? ", since TIMESTAMP_MS, until TIMESTAMP_MS" : "";
  const name = plainName(table);
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${name} (series UINTEGER, k UINTEGER, g UINTEGER, condition UINTEGER${times})`,
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
  const appender = await connection.createAppender(name, "main", "temp");
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
