import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Makes room on a disk of `mountSmallDisk` while it is in use. */
export async function growDisk(folder: string, bytes: number): Promise<void> {
  await run("mount", ["-o", `remount,size=${bytes}`, folder]);
}
