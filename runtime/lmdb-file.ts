import { type Database, type RootDatabase, type RootDatabaseOptions, open } from "lmdb";
import { findCorruption } from "./lmdb-precheck.ts";

/** Ordered as lmdb-js orders them: numbers before strings, arrays element by element. */
export type LmdbKey = string | number | (string | number)[];
/** One named database of the file: raw bytes under ordered keys. */
export type LmdbTable = Database<Uint8Array, LmdbKey>;

export interface PageCounts {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

export interface LmdbStats extends PageCounts {
  readonly pageSize: number;
  /** Highest page that the last commit uses; the file is at least one page longer, and never shrinks. */
  readonly lastPageNumber: number;
  /** Pages of the table of tables, and of the list of free pages. */
  readonly root: PageCounts;
  readonly free: PageCounts;
}

/** The file is not lmdb's, or lost its end. */
export class LmdbCorruptError extends Error {}
/** The disk below refuses; nothing of the transaction was kept. */
export class LmdbWriteError extends Error {}

export interface LmdbFileOptions {
  /** Folder of the file, made if missing, readable by its owner alone. */
  readonly path: string;
  readonly tables: readonly string[];
  /** Address space reserved at once. lmdb-js grows the map by itself, but keeps each smaller one mapped. */
  readonly mapBytes: number;
}

/**
 * One lmdb file with named tables, used synchronously. What `RecordStore` and `DurableQueue` have in common: a write is
 * on disk when it returns, a read leaves no read transaction behind, and an environment that lmdb gave up is reopened.
 */
export class LmdbFile {
  readonly #options: LmdbFileOptions;
  readonly #tables = new Map<string, LmdbTable>();
  #root: RootDatabase<Uint8Array, LmdbKey> | undefined;
  #writing = false;
  #closed = false;

  /** @throws LmdbCorruptError; LmdbWriteError when what is missing cannot be made */
  constructor(options: LmdbFileOptions) {
    this.#options = options;
    this.#open();
  }

  /** To be asked for in each `read` or `write`: a handle does not survive a reopening. */
  table(name: string): LmdbTable {
    if (this.#root === undefined) this.#open();
    const table = this.#tables.get(name);
    if (table === undefined)
      throw new TypeError(`table ${name} was not named when ${this.#options.path} was opened`);
    return table;
  }

  /** Seen from inside a `write`, its own changes count, but for `lastPageNumber`. */
  stats(name: string): LmdbStats {
    return this.table(name).getStats() as LmdbStats;
  }

  /** One snapshot, the newest, given back before this returns: an open one keeps every page freed since from reuse. */
  read<T>(work: () => T): T {
    const root = this.#root ?? this.#open();
    if (this.#writing) return work();
    try {
      return work();
    } catch (error) {
      throw errorNumber(error) === undefined ? error : translated(error, this.#options.path);
    } finally {
      root.resetReadTxn();
    }
  }

  /**
   * One transaction, fdatasync'ed when this returns; what `work` throws ends it with nothing kept. Several processes
   * write one after the other.
   * @throws LmdbWriteError, LmdbCorruptError
   */
  write<T>(work: () => T): T {
    if (this.#writing) throw new TypeError("transactions do not nest");
    const root = this.#root ?? this.#open();
    let thrown: { error: unknown } | undefined;
    this.#writing = true;
    try {
      return root.transactionSync(() => {
        try {
          const result = work();
          if (result instanceof Promise) throw new TypeError("a transaction must not await");
          return result;
        } catch (error) {
          thrown = { error };
          throw error;
        }
      });
    } catch (error) {
      if (thrown !== undefined && errorNumber(thrown.error) === undefined) throw thrown.error;
      this.#recover(root);
      throw translated(error, this.#options.path);
    } finally {
      this.#writing = false;
    }
  }

  /** Twice is safe. */
  close(): void {
    this.#closed = true;
    this.#shut();
  }

  #open(): RootDatabase<Uint8Array, LmdbKey> {
    if (this.#closed) throw new TypeError(`${this.#options.path} is closed`);
    const { path, tables, mapBytes } = this.#options;
    const settings: RootDatabaseOptions & { permissionsMode: number } = {
      encoding: "binary",
      noSubdir: false,
      // Only the asynchronous transaction() gains by it, and that one ends the process on a full disk.
      overlappingSync: false,
      maxDbs: tables.length,
      mapSize: mapBytes,
      permissionsMode: 0o600,
      // The lock file is then one page, which is there from the start: it is written through a map, SIGBUS on a full disk.
      maxReaders: 60,
    };
    try {
      const corruption = findCorruption(path);
      if (corruption !== undefined) throw new LmdbCorruptError(`${path}/data.mdb is corrupt: ${corruption}`);
      this.#root = open<Uint8Array, LmdbKey>(path, settings);
      for (const name of tables) {
        this.#tables.set(name, this.#root.openDB<Uint8Array, LmdbKey>(name, { encoding: "binary" }));
      }
      return this.#root;
    } catch (error) {
      this.#shut();
      throw translated(error, path);
    }
  }

  /** After a failed write of its header lmdb refuses everything; only closing and opening helps. */
  #recover(root: RootDatabase<Uint8Array, LmdbKey>): void {
    try {
      root.transactionSync(() => undefined);
    } catch {
      this.#shut();
    }
  }

  #shut(): void {
    this.#tables.clear();
    const root = this.#root;
    this.#root = undefined;
    // Resolved already: only asynchronous writes, which there are none of, make it wait.
    void root?.close();
  }
}

/** Of lmdb or of the operating system below it; undefined for errors that came from elsewhere. */
function errorNumber(error: unknown): number | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : undefined;
}

/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_VERSION_MISMATCH, MDB_INVALID. */
const corruptionNumbers = new Set([-30_797, -30_796, -30_794, -30_793]);

function translated(error: unknown, path: string): Error {
  if (error instanceof LmdbCorruptError) return error;
  const message = `${path}: ${error instanceof Error ? error.message : String(error)}`;
  return corruptionNumbers.has(errorNumber(error) ?? 0)
    ? new LmdbCorruptError(message, { cause: error })
    : new LmdbWriteError(message, { cause: error });
}
