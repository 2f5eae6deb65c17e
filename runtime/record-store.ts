import { LmdbFile, type LmdbTable } from "./lmdb-file.ts";

/**
 * JSON records that people edit (identities, sensors): small, shared by processes, a million at most. Every process that opened the
 * folder reads what any of them committed, and `watch` tells of it.
 */
export interface RecordStore extends RecordReader, AsyncDisposable {
  /** Raised by one in every transaction that wrote; the same number in every process. */
  readonly version: number;
  /**
   * All or nothing, over any number of tables, on disk (fsynced) when it returns. One at a time over all processes, so
   * what `work` reads stays true until it ends; it must not await. What it throws is thrown on, and nothing is kept.
   * @throws MarsadError RECORDS_UNWRITABLE: the disk refuses; nothing was changed.
   */
  transaction<T>(work: (records: RecordTransaction) => T): T;
  /** Calls `listener` after each change by any process, this one too, until `signal`; changes in between are one call. */
  watch(listener: (version: number) => void, options: { signal: AbortSignal; interval_ms?: number }): void;
}

export interface RecordReader {
  /** The record as parsed JSON, undefined when there is none. Its shape is for the caller to check. */
  get(table: string, key: string): unknown;
  /** In order of key. @param filter.after  Only keys behind this one, which begins with the prefix. */
  entries(table: string, filter?: RecordFilter): RecordEntry[];
}

export interface RecordFilter {
  readonly prefix?: string;
  readonly after?: string;
  readonly limit?: number;
}

export interface RecordTransaction extends RecordReader {
  /** @param record  What JSON can say. */
  put(table: string, key: string, record: unknown): void;
  /** @returns whether there was one. */
  remove(table: string, key: string): boolean;
}

export type RecordEntry = [key: string, record: unknown];

/** Address space; a million sensors take 350 MB. */
const mapBytes = 4 * 1024 * 1024 * 1024;
const recordsTable = "records";
const metaTable = "meta";
const versionKey = "version";

/**
 * Opens, or makes, the record store in folder `path`. Tables need no declaration; keys are up to 1 kB.
 * @throws MarsadError RECORDS_CORRUPT, RECORDS_UNWRITABLE
 */
export async function openRecordStore(path: string): Promise<RecordStore> {
  const codes = { corrupt: "RECORDS_CORRUPT", unwritable: "RECORDS_UNWRITABLE" } as const;
  return new LmdbRecordStore(new LmdbFile({ path, tables: [recordsTable, metaTable], mapBytes, codes }));
}

class LmdbRecordStore implements RecordStore {
  readonly #file: LmdbFile;
  readonly #watchers = new Set<() => void>();
  readonly #closed = new AbortController();

  constructor(file: LmdbFile) {
    this.#file = file;
  }

  get version(): number {
    return this.#file.read(() => this.#version());
  }

  get(table: string, key: string): unknown {
    return this.#file.read(() => decode(this.#records().getBinary([table, key])));
  }

  entries(table: string, { prefix = "", after, limit = Infinity }: RecordFilter = {}): RecordEntry[] {
    return this.#file.read(() => {
      const entries: RecordEntry[] = [];
      const start = { start: [table, after ?? prefix], exclusiveStart: after !== undefined };
      for (const { key, value } of this.#records().getRange(start)) {
        if (entries.length >= limit) break;
        const [ofTable, name] = key as [string, string];
        if (ofTable !== table || !name.startsWith(prefix)) break;
        entries.push([name, decode(value)]);
      }
      return entries;
    });
  }

  transaction<T>(work: (records: RecordTransaction) => T): T {
    let wrote = false;
    const records: RecordTransaction = {
      get: (table, key) => this.get(table, key),
      entries: (table, filter) => this.entries(table, filter),
      put: (table, key, record) => {
        this.#file.put(recordsTable, [table, key], encode(record));
        wrote = true;
      },
      remove: (table, key) => {
        if (!this.#records().doesExist([table, key])) return false;
        this.#file.remove(recordsTable, [table, key]);
        wrote = true;
        return true;
      },
    };
    const result = this.#file.write(() => {
      const result = work(records);
      if (wrote) this.#file.put(metaTable, versionKey, encode(this.#version() + 1));
      return result;
    });
    if (wrote) setImmediate(() => this.#watchers.forEach((check) => check()));
    return result;
  }

  watch(listener: (version: number) => void, options: { signal: AbortSignal; interval_ms?: number }): void {
    const signal = AbortSignal.any([options.signal, this.#closed.signal]);
    if (signal.aborted) return;
    let seen = this.version;
    const check = (): void => {
      if (signal.aborted || this.version === seen) return;
      seen = this.version;
      listener(seen);
    };
    const timer = setInterval(check, options.interval_ms ?? 300).unref();
    this.#watchers.add(check);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      this.#watchers.delete(check);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#file.close();
  }

  #records(): LmdbTable {
    return this.#file.table(recordsTable);
  }

  #version(): number {
    return Number(decode(this.#file.table(metaTable).getBinary(versionKey)) ?? 0);
  }
}

function encode(record: unknown): Uint8Array {
  const text = JSON.stringify(record);
  if (text === undefined) throw new TypeError("a record must be something that JSON can say");
  return Buffer.from(text);
}

function decode(bytes: Uint8Array | undefined): unknown {
  return bytes === undefined
    ? undefined
    : JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
}
