import { constants } from "node:fs";
import { copyFile, mkdir, readdir, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { copyLmdb } from "#runtime/lmdb-copy.ts";
import type { FolderHold } from "./hold.ts";

const lmdbFile = "data.mdb";
/** What a program keeps for as long as it runs; in the folder itself also what was kept of an older format. */
const passing = /^(lock|holder|lock-journal|lock\.mdb|probe-\d+|.*\.next)$/;
const passingFolders = /^(run|logs|backup|format-\d+\.bak)$/;

/**
 * Copies what makes a data folder from `data` to the new folder `to`; `journal` and `store` as `hold` keeps them.
 *
 * Never the outboxes of a demo city's gateways: their reading numbers would come a second time, for other readings.
 * @throws MarsadError BACKUP_UNWRITABLE, QUEUE_CORRUPT; errors of the file system
 */
export async function copyFolder(data: string, to: string, hold: FolderHold): Promise<void> {
  // A simulation that says more than once what it said costs duplicates; one that believes it said it costs readings.
  await copyEntry(data, to, "sim");
  if (hold.store === undefined) await copyEntry(data, to, "store");
  await copyEntry(data, to, "journal");
  await hold.journalCopied();
  if (hold.store !== undefined) {
    await mkdir(join(to, "store"));
    for (const { name, bytes } of hold.store.files)
      await copyStart(join(data, "store", name), join(to, "store", name), bytes);
  }
  await hold.storeCopied();
  for (const name of await readdir(data)) {
    const done = ["sim", "store", "journal"].includes(name);
    if (!done && !passingFolders.test(name)) await copyEntry(data, to, name);
  }
}

/** Copies file or folder `name` of `from` into `to`, if there is one. */
async function copyEntry(from: string, to: string, name: string, inEdge = false): Promise<void> {
  if (passing.test(name)) return;
  const [source, target] = [join(from, name), join(to, name)];
  const found = await stat(source).catch(() => undefined);
  if (found?.isFile() === true) await copyFile(source, target, constants.COPYFILE_FICLONE);
  if (found?.isDirectory() !== true) return;
  const names = await readdir(source);
  if (names.includes(lmdbFile)) {
    if (!inEdge)
      copyLmdb({
        from: source,
        to: target,
        codes: { corrupt: "QUEUE_CORRUPT", unwritable: "BACKUP_UNWRITABLE" },
      });
    return;
  }
  await mkdir(target, { mode: 0o700 });
  for (const inner of names) await copyEntry(source, target, inner, inEdge || name === "edge");
}

/** Copies the first `bytes` of a file that may be growing. */
async function copyStart(from: string, to: string, bytes: number): Promise<void> {
  if (bytes === 0) return;
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await truncate(to, bytes);
}

/** About what a backup of `data` takes. */
export async function bytesOf(data: string): Promise<number> {
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  let bytes = 0;
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const inner = path.slice(data.length + 1).split("/");
    if (!entry.isFile() || passingFolders.test(inner[0]!) || inner.includes("outbox")) continue;
    const found = await stat(path).catch(() => undefined);
    bytes += Math.min(found?.size ?? 0, (found?.blocks ?? 0) * 512);
  }
  return bytes;
}
