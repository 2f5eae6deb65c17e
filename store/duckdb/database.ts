import { rm } from "node:fs/promises";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

export interface DatabaseOptions {
  /** The database file. */
  readonly path: string;
  /** As DuckDB writes it: `1GB`. */
  readonly memoryLimit: string;
  readonly threads: number;
}

const mostSpilt = "2GB";

/** An open file and its connections. Each runs one statement at a time: its user serialises. */
export class Database {
  readonly writer: DuckDBConnection;
  /** Sees what is committed, also while the writer is in the middle of a batch. */
  readonly reader: DuckDBConnection;
  /** Copies closed days beside both. */
  readonly builder: DuckDBConnection;
  /** Reads many rows for the platform's jobs. */
  readonly jobs: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  /** Made for `lend`, all of them and those that nobody has. */
  readonly #lent = new Set<DuckDBConnection>();
  readonly #idle: DuckDBConnection[] = [];

  constructor(
    instance: DuckDBInstance,
    { writer, reader, builder, jobs }: Pick<Database, "writer" | "reader" | "builder" | "jobs">,
  ) {
    this.#instance = instance;
    this.writer = writer;
    this.reader = reader;
    this.builder = builder;
    this.jobs = jobs;
  }

  /**
   * A connection of its own for the work; as many are made as are wanted at the same time. After an error it is closed: the work may have been in the middle of
   * a transaction.
   */
  async lend<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = this.#idle.pop() ?? (await this.#instance.connect());
    this.#lent.add(connection);
    try {
      const result = await work(connection);
      this.#idle.push(connection);
      return result;
    } catch (error) {
      this.#lent.delete(connection);
      connection.closeSync();
      throw error;
    }
  }

  /** Closes as it stands: what is committed is in the file or its `.wal`, and read from there at the next opening. */
  close(): void {
    this.writer.closeSync();
    this.reader.closeSync();
    this.builder.closeSync();
    this.jobs.closeSync();
    for (const connection of this.#lent) connection.closeSync();
    this.#instance.closeSync();
  }
}

/** Opens or makes the file. @throws DuckDB's own errors */
export async function openDatabase({ path, memoryLimit, threads }: DatabaseOptions): Promise<Database> {
  const instance = await DuckDBInstance.create(path, {
    memory_limit: memoryLimit,
    threads: String(threads),
    // What a sort does not get into memory.
    temp_directory: `${path}.tmp`,
    max_temp_directory_size: mostSpilt,
    // Checkpoints are ours to begin (`checkpoint.ts`): an automatic one stalls the commit that meets the threshold, and
    // where it fails on a full disk it takes that commit's answer with it.
    checkpoint_threshold: "1TB",
    // Nothing but our file is read or written, whatever a statement says.
    enable_external_access: "false",
    autoload_known_extensions: "false",
    autoinstall_known_extensions: "false",
  });
  try {
    // Left by a process that was killed; the file is ours now, and nothing has been sorted yet.
    await rm(`${path}.tmp`, { recursive: true, force: true });
    const writer = await instance.connect();
    await writer.run("PRAGMA disable_checkpoint_on_shutdown");
    await writer.run("SET lock_configuration = true");
    return new Database(instance, {
      writer,
      reader: await instance.connect(),
      builder: await instance.connect(),
      jobs: await instance.connect(),
    });
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}
