import { open, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { MarsadError, hasCode } from "#runtime/errors.ts";

const MiB = 1024 * 1024;
/** Bytes that are left free: whoever else uses the disk, the platform for one, goes on. */
const spare = 64 * MiB;

/** @throws MarsadError BACKUP_UNWRITABLE: there is no room for so many bytes. */
export async function expectRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes + spare) return;
  const [needed, free] = [bytes + spare, bavail * bsize].map((count) => Math.ceil(count / MiB));
  throw new MarsadError(
    "BACKUP_UNWRITABLE",
    `the disk of ${folder} has ${free} MiB free, and ${needed} MiB are needed`,
  );
}

/** Everything in the folder, and the folder, to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) await sync(join(entry.parentPath, entry.name));
  await sync(folder);
}

export async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

const refusals = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "EFBIG"]);

/** What a full or forbidden disk says, as BACKUP_UNWRITABLE. */
export function diskError(error: unknown, folder: string): unknown {
  const full = hasCode(error, "STORE_FULL") || hasCode(error, "QUEUE_UNWRITABLE");
  const refused = error instanceof Error && "code" in error && refusals.has(String(error.code));
  if (!full && !refused) return error;
  return new MarsadError("BACKUP_UNWRITABLE", `${folder}: ${(error as Error).message}`, { cause: error });
}
