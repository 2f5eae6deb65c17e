import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A tmpfs of `bytes` on `folder` until disposed; undefined where that is not allowed (it takes root). */
export async function mountSmallDisk(folder: string, bytes: number): Promise<AsyncDisposable | undefined> {
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder]);
  } catch {
    return undefined;
  }
  return { [Symbol.asyncDispose]: async () => void (await run("umount", ["-l", folder])) };
}

/** The reason for a skipped test. */
export const needsMount = "needs to mount a tmpfs: run as root";
