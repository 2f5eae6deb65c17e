import { constants } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { lockFolder } from "#runtime/data-lock.ts";
import { MarsadError } from "#runtime/errors.ts";
import { diskError, expectRoom, sync, syncFolder } from "./disk.ts";
import { type Manifest, checkFiles, readManifest } from "./manifest.ts";

/** Below the new folder, until all is copied. */
const partialName = "restore.partial";
const ownNames = new Set(["lock", "holder", "lock-journal", partialName]);

/**
 * Makes data folder `data`, which is missing or empty, of the backup in folder `from`.
 * @throws MarsadError NOT_FOUND, ALREADY_EXISTS, BACKUP_DAMAGED, BACKUP_UNWRITABLE, STORE_FORMAT, DATA_LOCKED
 */
export async function restoreBackup(from: string, data: string): Promise<Manifest> {
  const manifest = await readManifest(from);
  await expectEmpty(data);
  const wasThere = (await stat(data).catch(() => undefined)) !== undefined;
  try {
    await copyInto(from, data, manifest);
  } catch (error) {
    await rm(wasThere ? join(data, partialName) : data, { recursive: true, force: true });
    throw diskError(error, data);
  }
  return manifest;
}

async function copyInto(from: string, data: string, manifest: Manifest): Promise<void> {
  await mkdir(data, { recursive: true, mode: 0o700 });
  // No platform starts on half a folder.
  using _lock = lockFolder(data);
  await expectRoom(
    data,
    manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  const partial = join(data, partialName);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  for (const { path } of manifest.files) {
    await mkdir(dirname(join(partial, path)), { recursive: true, mode: 0o700 });
    await copyFile(join(from, path), join(partial, path), constants.COPYFILE_FICLONE).catch(
      (error: unknown) => {
        if (!isMissing(error)) throw error;
        throw new MarsadError("BACKUP_DAMAGED", `${join(from, path)} is missing`, { cause: error });
      },
    );
  }
  // Of the copies: what was read wrongly would not show in the backup.
  await checkFiles(partial, manifest);
  await syncFolder(partial);
  const names = await readdir(partial);
  for (const name of names.sort((a, b) => order(a) - order(b)))
    await rename(join(partial, name), join(data, name));
  await rmdir(partial);
  await sync(data);
}

/** In an order in which a power cut leaves what refuses to start: a journal without its store. */
function order(name: string): number {
  if (name === "journal") return 0;
  return name === "store" ? 2 : 1;
}

/** What a restore that was cut off has left counts as nothing. */
async function expectEmpty(data: string): Promise<void> {
  const names = await readdir(data).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw new MarsadError("DATA_UNUSABLE", `${data} cannot be read`, { cause: error });
  });
  const [other] = names.filter((name) => !ownNames.has(name));
  if (other === undefined) return;
  throw new MarsadError(
    "ALREADY_EXISTS",
    `${data} is not empty (it has ${other}): a backup is restored into a new folder`,
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
