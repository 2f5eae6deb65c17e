import { readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { lockFolder } from "#runtime/data-lock.ts";
import { MarsadError } from "#runtime/errors.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";
import { fileName as storeFile } from "#store/duckdb/index.ts";
import { currentFormat, type DataFormat, readAnyFormat, readDataFormat } from "#store/format.ts";
import { bytesOf, copyFolder } from "./copy-folder.ts";
import { diskError, expectRoom, sync, syncFolder } from "./disk.ts";
import { holdFolder } from "./hold.ts";
import { type Manifest, manifestName, sumFiles } from "./manifest.ts";
import { settle } from "./settle.ts";

export interface MadeBackup {
  readonly manifest: Manifest;
  /** Seconds that the platform held its files. */
  readonly held_s: number;
}

/**
 * Backs data folder `data` up into the new folder `to`, which is there whole or not at all.
 * @throws MarsadError NOT_FOUND, ALREADY_EXISTS, CONFIG_INVALID, BACKUP_UNWRITABLE, DATA_LOCKED, REFUSED, STORE_FORMAT, QUEUE_CORRUPT
 */
export async function makeBackup(data: string, to: string, version: string): Promise<MadeBackup> {
  const format = await currentOf(data);
  if (format === undefined)
    throw new MarsadError(
      "NOT_FOUND",
      `there is no data folder ${data}; say where it is with --data or MARSAD_DATA`,
    );
  await expectNew(data, to);
  await expectRoom(dirname(resolve(to)), await bytesOf(data));

  const partial = `${resolve(to)}.partial`;
  await using making = await lockPartial(partial);
  try {
    const at = new Date().toISOString();
    const files = format.store === "duckdb" ? [storeFile, `${storeFile}.wal`] : [];
    await using hold = await holdFolder(data, files);
    const begun = performance.now();
    await copyFolder(data, partial, hold);
    await hold[Symbol.asyncDispose]();
    const held_s = (performance.now() - begun) / 1000;

    const found = await settle(partial, format, hold);
    const sums = (await sumFiles(partial)).filter(({ path }) => !lockFiles.includes(path));
    const manifest: Manifest = { backup: 1, version, at, format: format.format, ...found, files: sums };
    await syncFolder(partial);
    await writeFileAtomically(join(partial, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, 0o600);
    await making.unlock();
    await rename(partial, resolve(to));
    await sync(dirname(resolve(to)));
    return { manifest, held_s };
  } catch (error) {
    throw diskError(error, to);
  }
}

/** @throws MarsadError STORE_FORMAT: it is older than this version, whose platform would migrate it. */
async function currentOf(data: string): Promise<DataFormat | undefined> {
  const found = await readAnyFormat(data);
  if (found === undefined || found.format === currentFormat) return await readDataFormat(data);
  throw new MarsadError(
    "STORE_FORMAT",
    `${data} is of format ${found.format}, this version's is ${currentFormat}: start the platform on it once, which migrates it`,
  );
}

async function expectNew(data: string, to: string): Promise<void> {
  if (!relative(resolve(data), resolve(to)).startsWith(".."))
    throw new MarsadError(
      "CONFIG_INVALID",
      `${to} is inside ${data}, which is what is backed up: choose a folder outside, best on another disk`,
    );
  if (await stat(to).catch(() => undefined))
    throw new MarsadError("ALREADY_EXISTS", `${to} is there already; a backup is made into a new folder`);
  const parent = dirname(resolve(to));
  const found = await stat(parent).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw new MarsadError("NOT_FOUND", `there is no folder ${parent} to make the backup in`);
}

const lockFiles = ["lock", "holder", "lock-journal"];

/** A folder for this backup alone, which is gone when it is disposed, unless it was renamed. */
async function lockPartial(partial: string): Promise<AsyncDisposable & { unlock(): Promise<void> }> {
  const names = await readdir(partial).catch(() => undefined);
  // One that a backup left which died has its lock's file.
  if (names !== undefined && !names.includes("lock") && !names.includes(manifestName))
    throw new MarsadError("ALREADY_EXISTS", `${partial} is there, and no backup has left it: move it away`);
  let lock: Disposable;
  try {
    lock = lockFolder(partial);
  } catch (error) {
    throw diskError(error, partial);
  }
  for (const name of names ?? []) {
    if (!lockFiles.includes(name)) await rm(join(partial, name), { recursive: true });
  }
  return {
    async unlock() {
      lock[Symbol.dispose]();
      for (const name of lockFiles) await rm(join(partial, name), { force: true });
    },
    async [Symbol.asyncDispose]() {
      lock[Symbol.dispose]();
      await rm(partial, { recursive: true, force: true });
    },
  };
}
