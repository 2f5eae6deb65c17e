import { join } from "node:path";
import { type Database, type RootDatabase, type RootDatabaseOptions, open } from "lmdb";
import { type ErrorCode, MarsadError } from "./errors.ts";
import { findCorruption } from "./lmdb-precheck.ts";
import { Tail, TouchedPages } from "./lmdb-room.ts";

/** Ordered as lmdb-js orders them: numbers before strings, arrays element by element. */
export type LmdbKey = string | number | (string | number)[];
/** One named database of the file: raw bytes under ordered keys. To read; writing goes through `LmdbFile`. */
export type LmdbTable = Pick<
  Database<Uint8Array, LmdbKey>,
  "getBinary" | "getRange" | "getKeys" | "doesExist"
>;

export interface LmdbFileOptions {
  /** Folder of the file, made if missing, readable by its owner alone. */
  readonly path: string;
  readonly tables: readonly string[];
  /** Those of `tables` whose keys are put and removed one next to the other. */
  readonly inRuns?: readonly string[];
  /** Address space reserved at once. lmdb-js grows the map by itself, but keeps each smaller one mapped. */
  readonly mapBytes: number;
  /** What its errors are called: a file that cannot be read, and a disk that refuses (nothing of the transaction was kept). */
  readonly codes: { readonly corrupt: ErrorCode; readonly unwritable: ErrorCode };
}

/**
 * One lmdb file with named tables, used synchronously. What `RecordStore` and `DurableQueue` have in common: a write is
 * on disk when it returns, a read leaves no read transaction behind, and a full disk does no harm.
 *
 * lmdb-js 3.5.6 corrupts the heap when one of its own writes finds no room (mdb.c prints the failure into 100 bytes). So
 * it never meets one: before each commit the file is extended with zeros by what the commit may need at worst, and by a
 * reserve that only trimming may touch, and commits that reuse free pages.
 */
export class LmdbFile {
  readonly #options: LmdbFileOptions;
  readonly #tables = new Map<string, Database<Uint8Array, LmdbKey>>();
  #root: RootDatabase<Uint8Array, LmdbKey> | undefined;
  #tail: Tail | undefined;
  /** Of the transaction under way. */
  #touched: TouchedPages | undefined;
  /** Worst case of the largest commit so far: the next one like it must find room after trimming. */
  #largestBytes = 0;
  #closed = false;

  /** @throws MarsadError with one of `options.codes` */
  constructor(options: LmdbFileOptions) {
    this.#options = options;
    this.#open();
  }

  /** To be asked for in each `read` or `write`: a handle does not survive a reopening. */
  table(name: string): LmdbTable {
    return this.#table(name);
  }

  /** Inside `write` only. */
  put(name: string, key: LmdbKey, value: Uint8Array): void {
    this.#changes().put(name, value.length);
    void this.#table(name).put(key, value);
  }

  /**
   * Inside `write` only.
   * @param valueBytes  Size of the value, if known and large.
   */
  remove(name: string, key: LmdbKey, valueBytes = 0): void {
    this.#changes().remove(name, valueBytes);
    void this.#table(name).remove(key);
  }

  /** Size of the file; of its pages up to the last that a commit used; and of those that anything refers to. */
  sizes(): { fileBytes: number; endBytes: number; usedBytes: number } {
    return this.read(() => {
      const stats = this.#options.tables.map((name) => this.#stats(name));
      const { pageSize, root, free, lastPageNumber } = stats[0]!;
      const used = [...stats, root, free].reduce((sum, counts) => sum + pagesOf(counts), headerPages);
      return {
        fileBytes: this.#tail!.bytes,
        endBytes: (lastPageNumber + 1) * pageSize,
        usedBytes: used * pageSize,
      };
    });
  }

  /** One snapshot, the newest, given back before this returns: an open one keeps every page freed since from reuse. */
  read<T>(work: () => T): T {
    const root = this.#root ?? this.#open();
    if (this.#touched !== undefined) return work();
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
   * @param options.mayUseReserve  It frees more than it takes.
   * @throws MarsadError with one of `options.codes`
   */
  write<T>(work: () => T, options: { mayUseReserve?: boolean } = {}): T {
    if (this.#touched !== undefined) throw new TypeError("transactions do not nest");
    const root = this.#root ?? this.#open();
    let thrown: { error: unknown } | undefined;
    this.#touched = new TouchedPages(this.#options.inRuns ?? []);
    try {
      return root.transactionSync(() => {
        try {
          const result = work();
          if (result instanceof Promise) throw new TypeError("a transaction must not await");
          this.#makeRoom(options.mayUseReserve === true);
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
      this.#touched = undefined;
    }
  }

  /** Gives back the pages that a process kept which died while it read. */
  forgetDeadReaders(): void {
    (this.#root ?? this.#open()).readerCheck();
  }

  /** Twice is safe. */
  close(): void {
    this.#closed = true;
    this.#shut();
  }

  #makeRoom(mayUseReserve: boolean): void {
    const changes = this.#changes();
    if (changes.none) return;
    const { pageSize, lastPageNumber, free } = this.#stats(this.#options.tables[0]!);
    const end = (lastPageNumber + 1) * pageSize;
    // The list of free pages is written anew, when it is long on pages that lie together.
    const pages = changes.worst((table) => pagesOf(this.#stats(table))) + 2 * pagesOf(free);
    const worst = pages * pageSize;
    if (!mayUseReserve) this.#largestBytes = Math.max(this.#largestBytes, worst);
    const reserve = this.#largestBytes + trimReserveBytes;
    const room = this.#tail!.extend(end + worst + reserve) - end;
    if (room >= worst + reserve) return;
    if (room >= worst && mayUseReserve) return;
    const { usedBytes } = this.sizes();
    // It may still grow the file, if what is free does not lie together: what trimming needs must stay even so.
    if (room >= worst + trimReserveBytes && end - usedBytes >= 2 * worst) return;
    // Nearly empty: then it does lie together.
    if (room >= worst && usedBytes < end / 8) return;
    throw new MarsadError(
      this.#options.codes.unwritable,
      `${this.#options.path}: the disk has no room for ${worst} bytes more`,
    );
  }

  #changes(): TouchedPages {
    // Elsewhere lmdb-js would write asynchronously.
    if (this.#touched === undefined) throw new TypeError("tables change inside a transaction only");
    return this.#touched;
  }

  #table(name: string): Database<Uint8Array, LmdbKey> {
    if (this.#root === undefined) this.#open();
    const table = this.#tables.get(name);
    if (table === undefined)
      throw new TypeError(`table ${name} was not named when ${this.#options.path} was opened`);
    return table;
  }

  #stats(name: string): LmdbStats {
    return this.#table(name).getStats() as LmdbStats;
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
      this.#tail = new Tail(join(path, "data.mdb"));
      for (const name of tables) this.#tables.set(name, this.#openTable(this.#root, this.#tail, name));
      return this.#root;
    } catch (error) {
      this.#shut();
      throw this.#translated(error);
    }
  }

  #openTable(
    root: RootDatabase<Uint8Array, LmdbKey>,
    tail: Tail,
    name: string,
  ): Database<Uint8Array, LmdbKey> {
    const existing = root.openDB<Uint8Array, LmdbKey>(name, { encoding: "binary", ...mustExist }) as
      | Database<Uint8Array, LmdbKey>
      | undefined;
    if (existing !== undefined) return existing;
    const { lastPageNumber, pageSize } = root.getStats() as LmdbStats;
    const needed = (lastPageNumber + 1) * pageSize + trimReserveBytes;
    if (tail.extend(needed) < needed) throw new Error(`the disk has no room for table ${name}`);
    return root.openDB<Uint8Array, LmdbKey>(name, { encoding: "binary" });
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
    this.#tail?.close();
    this.#tail = undefined;
    const root = this.#root;
    this.#root = undefined;
    // Resolved already: only asynchronous writes, which there are none of, make it wait.
    void root?.close();
  }
}

interface PageCounts {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

/** What lmdb-js' `getStats` answers, as far as it is used here. Inside a transaction its changes count, but for the last page. */
interface LmdbStats extends PageCounts {
  readonly pageSize: number;
  readonly lastPageNumber: number;
  /** The table of tables, and the list of free pages. */
  readonly root: PageCounts;
  readonly free: PageCounts;
}

function pagesOf(counts: PageCounts): number {
  return counts.treeBranchPageCount + counts.treeLeafPageCount + counts.overflowPages;
}

const headerPages = 2;
/** Room for trimming, and for making tables. */
const trimReserveBytes = 256 * 1024;
/** An option of lmdb-js that its types lack: `openDB` answers undefined for a table that is not there. */
export const mustExist = { create: false } as object;

/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_VERSION_MISMATCH, MDB_INVALID. */
const corruptionNumbers = new Set([-30_797, -30_796, -30_794, -30_793]);

/** Of lmdb or of the operating system below it; undefined for errors that came from elsewhere. */
function errorNumber(error: unknown): number | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : undefined;
}
