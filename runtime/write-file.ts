import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a whole file or nothing: readers see the old one or the new one, also after a power cut.
 * @param mode  Permissions of the file, 0o644 if not given.
 */
export async function writeFileAtomically(path: string, text: string, mode = 0o644): Promise<void> {
  // A name of its own: one process may write the same file twice at once.
  const next = `${path}.${randomUUID()}.next`;
  try {
    const file = await open(next, "w", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
