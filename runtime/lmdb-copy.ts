import { rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { open } from "lmdb";
import { plainBytes } from "./durable-queue-table.ts";
import { MarsadError } from "./errors.ts";
import { LmdbFile, type LmdbFileOptions, type LmdbKey, mustExist } from "./lmdb-file.ts";
import { findCorruption } from "./lmdb-precheck.ts";

export interface LmdbCopyOptions {
  /** Folder of an lmdb file, which other processes may be writing. */
  readonly from: string;
  /** Folder of the copy, made here. */
  readonly to: string;
  readonly codes: LmdbFileOptions["codes"];
}

/** Bytes put in one transaction of the copy. */
const step = 4 * 1024 * 1024;
/** Address space beyond the file's size, which may grow meanwhile. */
const growth = 64 * 1024 * 1024 * 1024;

/**
 * Copies one snapshot of an lmdb file, entry by entry. Not by lmdb's own copy: a disk that is full is then met by `LmdbFile`, as an
 * error, and free pages, of which a journal has many, stay behind. Synchronous, for a process that has nothing else to do: until it
 * returns, pages of the snapshot are not used again by those who write.
 * @returns Bytes of the copy's file.
 * @throws MarsadError with one of `codes`: the file is corrupt; the disk of the copy refuses
 */
export function copyLmdb({ from, to, codes }: LmdbCopyOptions): number {
  let end: number;
  try {
    const corruption = findCorruption(from);
    if (corruption !== undefined)
      throw new MarsadError(codes.corrupt, `${from}/data.mdb is corrupt: ${corruption}`);
    end = copyTables(from, { to, codes });
  } catch (error) {
    if (error instanceof MarsadError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new MarsadError(codes.corrupt, `${from}/data.mdb cannot be read: ${why}`, { cause: error });
  }
  // What LmdbFile keeps ahead of a next commit is of no use here.
  truncateSync(join(to, "data.mdb"), end);
  rmSync(join(to, "lock.mdb"), { force: true });
  return end;
}

const mostTables = 64;

function copyTables(from: string, { to, codes }: Pick<LmdbCopyOptions, "to" | "codes">): number {
  const source = open<Uint8Array, LmdbKey>(from, {
    encoding: "binary",
    noSubdir: false,
    mapSize: statSync(join(from, "data.mdb")).size + growth,
    maxDbs: mostTables,
    maxReaders: 60,
  });
  try {
    const tables = Array.from(source.getKeys(), (name) => {
      if (typeof name !== "string") throw new Error("it has values outside of its tables");
      return { name, table: source.openDB<Uint8Array, LmdbKey>(name, { encoding: "binary", ...mustExist }) };
    });
    const names = tables.map(({ name }) => name);
    const mapBytes = statSync(join(from, "data.mdb")).size + growth;
    const copy = new LmdbFile({ path: to, tables: names, inRuns: names, mapBytes, codes });
    const transaction = source.useReadTransaction();
    try {
      for (const { name, table } of tables) copyTable(copy, name, table.getRange({ transaction }));
      return copy.sizes().endBytes;
    } finally {
      transaction.done();
      copy.close();
    }
  } finally {
    void source.close();
  }
}

function copyTable(
  copy: LmdbFile,
  name: string,
  range: Iterable<{ readonly key: LmdbKey; readonly value: Uint8Array }>,
): void {
  const entries = range[Symbol.iterator]();
  let next = entries.next();
  while (next.done !== true) {
    copy.write(() => {
      for (let bytes = 0; bytes < step && next.done !== true; next = entries.next()) {
        const { key, value } = next.value;
        const record = plainBytes(value);
        copy.put(name, key, record);
        bytes += record.length;
      }
    });
  }
}
