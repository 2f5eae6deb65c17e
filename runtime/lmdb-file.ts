import { type Database, type RootDatabase, type RootDatabaseOptions, open } from "lmdb";
import { type ErrorCode, MarsadError } from "./errors.ts";
import { findCorruption } from "./lmdb-precheck.ts";

/** Ordered as lmdb-js orders them: numbers before strings, arrays element by element. */
export type LmdbKey = string | number | (string | number)[];
/** One named database of the file: raw bytes under ordered keys. */
export type LmdbTable = Database<Uint8Array, LmdbKey>;

export interface LmdbFileOptions {
  /** Folder of the file, made if missing, readable by its owner alone. */
  readonly path: string;
  readonly tables: readonly string[];
  /** Address space reserved at once. lmdb-js grows the map by itself, but keeps each smaller one mapped. */
  readonly mapBytes: number;
  /** What its errors are called: a file that cannot be read, and a disk that refuses (nothing of the transaction was kept). */
  readonly codes: { readonly corrupt: ErrorCode; readonly unwritable: ErrorCode };
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

  /** @throws MarsadError with one of `options.codes` */
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

  /** As `table`, inside `write` only: elsewhere lmdb-js would write asynchronously. */
  writableTable(name: string): LmdbTable {
    if (!this.#writing) throw new TypeError("tables change inside a transaction only");
    return this.table(name);
  }

  /** Bytes of the pages that anything refers to, with what a transaction under way took and freed. */
  usedBytes(): number {
    return this.read(() => {
      const stats = this.#options.tables.map((name) => this.table(name).getStats() as LmdbStats);
      const { pageSize, root, free } = stats[0]!;
      const pages = [...stats, root, free].map(
        (counts) => counts.treeBranchPageCount + counts.treeLeafPageCount + counts.overflowPages,
      );
      return pages.reduce((sum, count) => sum + count, headerPages) * pageSize;
    });
  }

  /** One snapshot, the newest, given back before this returns: an open one keeps every page freed since from reuse. */
  read<T>(work: () => T): T {
    const root = this.#root ?? this.#open();
    if (this.#writing) return work();
    try {
      return work();
    } catch (error) {
      throw errorNumber(error) === undefined ? error : this.#translated(error);
    } finally {
      root.resetReadTxn();
    }
  }

  /**
   * One transaction, fdatasync'ed when this returns; what `work` throws ends it with nothing kept. Several processes
   * write one after the other.
   * @throws MarsadError with one of `options.codes`
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
      throw this.#translated(error);
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
    const { path, tables, mapBytes, codes } = this.#options;
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
      if (corruption !== undefined)
        throw new MarsadError(codes.corrupt, `${path}/data.mdb is corrupt: ${corruption}`);
      this.#root = open<Uint8Array, LmdbKey>(path, settings);
      for (const name of tables) {
        this.#tables.set(name, this.#root.openDB<Uint8Array, LmdbKey>(name, { encoding: "binary" }));
      }
      return this.#root;
    } catch (error) {
      this.#shut();
      throw this.#translated(error);
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

  #translated(error: unknown): unknown {
    if (error instanceof MarsadError || error instanceof TypeError) return error;
    const { path, codes } = this.#options;
    const code = corruptionNumbers.has(errorNumber(error) ?? 0) ? codes.corrupt : codes.unwritable;
    return new MarsadError(code, `${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
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

interface PageCounts {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

/** What lmdb-js' `getStats` answers, as far as it is used here. */
interface LmdbStats extends PageCounts {
  readonly pageSize: number;
  /** The table of tables, and the list of free pages. */
  readonly root: PageCounts;
  readonly free: PageCounts;
}

const headerPages = 2;

/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_VERSION_MISMATCH, MDB_INVALID. */
const corruptionNumbers = new Set([-30_797, -30_796, -30_794, -30_793]);
