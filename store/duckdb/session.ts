import type { FieldType } from "#telemetry/catalogue.ts";
import { policies } from "../query.ts";
import type { SeriesTable } from "#telemetry/series-table.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./database.ts";
import { isFatal } from "./errors.ts";
import { Freshness } from "./freshness.ts";
import { type DirtyMarks, openDirtyMarks } from "./dirty.ts";
import { type Column, type Partition, fieldTypeOf } from "./partition.ts";
import type { Partitions } from "./partitions.ts";
import { type Results, openResults } from "./results.ts";
import { type Rewrite, dropLeftovers } from "./rewrite.ts";
import {
  ensureSchema,
  readFloors,
  readPartitions,
  readPositions,
  readRewritten,
  readSeries,
} from "./schema.ts";

/** An open database and what is known of its committed content. Lost with the database, and read again from it. */
export interface Session {
  readonly database: Database;
  readonly partitions: Partitions;
  /** What the platform's own jobs wrote. */
  readonly results: Results;
  /** Minutes in which readings were stored. */
  readonly dirty: DirtyMarks;
  readonly freshness: Freshness;
  readonly dictionary: SeriesTable;
  /** Measurement -> field -> the type that all of its values have. */
  readonly types: Map<string, Map<string, FieldType>>;
  /** Journal's UUID -> position after its last stored block. */
  readonly positions: Map<string, number>;
  readonly writers: ChunkWriters;
  /** Table -> how many of its rows, the first, stand in series order. */
  readonly sorted: Map<string, number>;
  /** The table that is being rewritten. */
  rewrite: Rewrite | undefined;
  /** Aborted when the database must be opened again; its reason is the error. */
  readonly broken: AbortController;
}

/** @throws MarsadError STORE_FORMAT, and DuckDB's own errors */
export async function openSession(options: DatabaseOptions): Promise<Session> {
  const database = await openDatabase(options);
  try {
    const connection = database.writer;
    await ensureSchema(connection, options.path);
    await dropLeftovers(connection).catch((error: unknown) => {
      if (isFatal(error)) throw error; // else there is no room on the disk for doing it: the next rewrite does it
    });
    const byPlace = await readPartitions(connection);
    const partitions = byPlace.get("main")!;
    return {
      database,
      partitions,
      results: await openResults(connection, byPlace),
      dirty: await openDirtyMarks(connection),
      freshness: new Freshness(await readFloors(connection, partitions)),
      dictionary: await readSeries(connection),
      types: fieldTypes(partitions),
      positions: await readPositions(connection),
      writers: new ChunkWriters(),
      sorted: await readRewritten(connection),
      rewrite: undefined,
      broken: new AbortController(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Of readings and of results. */
export function allPartitions({ partitions, results }: Session): Partition[] {
  return [partitions, ...policies.map((policy) => results.tables(policy))].flatMap((tables) => tables.all());
}

function fieldTypes(partitions: Partitions): Session["types"] {
  return new Map(
    partitions.measurements().map((measurement) => [
      measurement,
      // No reading has a text.
      new Map(
        partitions.columns(measurement).map(({ name, type }) => [name, fieldTypeOf(type) as FieldType]),
      ),
    ]),
  );
}

/** A chunk writer for each layout in use: a measurement's tables of all days share one. */
class ChunkWriters {
  readonly #byLayout = new Map<string, ChunkWriter>();

  for(columns: readonly Column[]): ChunkWriter {
    const types = columns.map(({ type }) => type);
    const layout = types.join();
    let writer = this.#byLayout.get(layout);
    if (writer === undefined) this.#byLayout.set(layout, (writer = new ChunkWriter(types)));
    return writer;
  }
}
