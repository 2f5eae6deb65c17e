import type { DuckDBConnection } from "@duckdb/node-api";
import { type Partition, sqlName } from "../partition.ts";

/** A part of the time, and the tables that may have rows of it. */
export interface Slice {
  readonly tables: readonly Partition[];
  readonly from: number;
  readonly to: number;
}

/** Rows that the first slice has for each that is wanted, more or less, and at least; each one after it takes `growth` times the time. */
const rowsPerWanted = 8;
const fewestRows = 2_000;
const mostRows = 20_000;
const growth = 8;
/** Groups of tables in one slice, once slices are longer than tables. */
const mostGroups = 32;

/**
 * Cuts [from, to) into slices from one end on, small ones first: for what is mostly found near that end.
 * @param groups  by time, not overlapping
 */
export async function* slices(
  connection: DuckDBConnection,
  groups: readonly (readonly Partition[])[],
  {
    from,
    to,
    order,
    wanted,
  }: {
    readonly from: number;
    readonly to: number;
    readonly order: "asc" | "desc";
    readonly wanted: number;
  },
): AsyncGenerator<Slice> {
  const ordered = order === "asc" ? groups : groups.toReversed();
  let length = 0;
  for (let at = 0, several = 1; at < ordered.length;) {
    const tables = ordered[at]!;
    const bounds = await boundsOf(connection, tables);
    const [first, last] = [Math.max(from, bounds.from), Math.min(to, bounds.to)];
    at += 1;
    if (first >= last) continue;
    if (length === 0) {
      const rows = tables.reduce((sum, table) => sum + table.rows, 0);
      const firstRows = Math.min(mostRows, Math.max(fewestRows, rowsPerWanted * wanted));
      length = Math.max(1_000, Math.ceil(((bounds.to - bounds.from) * firstRows) / Math.max(1, rows)));
    }
    if (length >= last - first) {
      // Whole tables, twice as many each time.
      const more = ordered.slice(at, at + several - 1);
      at += more.length;
      several = Math.min(2 * several, mostGroups);
      const all = [tables, ...more].flat();
      const begins = Math.min(...all.map((table) => table.from));
      const ends = Math.max(...all.map((table) => table.to));
      yield { tables: all, from: Math.max(from, begins), to: Math.min(to, ends) };
      continue;
    }
    for (let done = 0; done < last - first; length *= growth) {
      const next = Math.min(done + length, last - first);
      yield order === "asc"
        ? { tables, from: first + done, to: first + next }
        : { tables, from: last - next, to: last - done };
      done = next;
    }
  }
}

interface Bounds {
  readonly from: number;
  readonly to: number;
}

/** What is known of a table is another object after each write to it. */
const known = new WeakMap<Partition, Bounds>();
const noRows: Bounds = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };

/** The times of the rows of these tables; DuckDB keeps them with its tables. */
async function boundsOf(connection: DuckDBConnection, tables: readonly Partition[]): Promise<Bounds> {
  for (const table of tables) if (!known.has(table)) known.set(table, await readBounds(connection, table));
  const all = tables.map((table) => known.get(table)!);
  return { from: Math.min(...all.map(({ from }) => from)), to: Math.max(...all.map(({ to }) => to)) };
}

async function readBounds(connection: DuckDBConnection, table: Partition): Promise<Bounds> {
  const read = await connection.runAndReadAll(
    `SELECT epoch_ms(min(time))::DOUBLE, epoch_ms(max(time))::DOUBLE FROM ${sqlName(table)}`,
  );
  const [first, last] = read.getRowsJS()[0] as [number | null, number | null];
  return first === null || last === null ? noRows : { from: first, to: last + 1 };
}
