import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

export interface DatabaseOptions {
  /** The database file. */
  readonly path: string;
  /** As DuckDB writes it: `1GB`. */
  readonly memoryLimit: string;
  readonly threads: number;
}

/** An open file and its two connections. Each runs one statement at a time: its user serialises. */
export class Database {
  readonly writer: DuckDBConnection;
  /** Sees what is committed, also while the writer is in the middle of a batch. */
  readonly reader: DuckDBConnection;
  readonly #instance: DuckDBInstance;

  constructor(instance: DuckDBInstance, writer: DuckDBConnection, reader: DuckDBConnection) {
    this.#instance = instance;
    this.writer = writer;
    this.reader = reader;
  }

  /** Closes as it stands: what is committed is in the file or its `.wal`, and read from there at the next opening. */
  close(): void {
    this.writer.closeSync();
    this.reader.closeSync();
    this.#instance.closeSync();
  }
}

/** Opens or makes the file. @throws DuckDB's own errors */
export async function openDatabase({ path, memoryLimit, threads }: DatabaseOptions): Promise<Database> {
  const instance = await DuckDBInstance.create(path, {
    memory_limit: memoryLimit,
    threads: String(threads),
    // Checkpoints are ours to begin (`checkpoint.ts`): an automatic one stalls the commit that meets the threshold, and
    // where it fails on a full disk it takes that commit's answer with it.
    checkpoint_threshold: "1TB",
    // Nothing but our file is read or written, whatever a statement says.
    enable_external_access: "false",
    autoload_known_extensions: "false",
    autoinstall_known_extensions: "false",
  });
  try {
    const writer = await instance.connect();
    await writer.run("PRAGMA disable_checkpoint_on_shutdown");
    await writer.run("SET lock_configuration = true");
    return new Database(instance, writer, await instance.connect());
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}
