import { spawnSync } from "node:child_process";
import { tempFolder } from "./temp-folder.ts";

/** The reason for a skipped test. */
export const needsMount = "needs to mount a tmpfs: run as root";

/** A file system in memory, of few MiB, in a folder of its own; both go when the scope ends. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  /** Also while it is in use. */
  resize(mebibytes: number): void;
}

/** May this process mount? Root on a Linux machine, not in every container. */
export function canMount(): boolean {
  try {
    using disk = smallDisk("probe", 1);
    return disk.path !== "";
  } catch {
    return false;
  }
}

/** Throws where that is not allowed. */
export function smallDisk(name: string, mebibytes: number): SmallDisk {
  const folder = tempFolder(name);
  try {
    mount(folder.path, `size=${mebibytes}m`);
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
  return {
    path: folder.path,
    resize: (size) => mount(folder.path, `remount,size=${size}m`),
    [Symbol.dispose]: () => {
      unmount(folder.path);
      folder[Symbol.dispose]();
    },
  };
}

/** The same of `bytes` on a folder that is there, until disposed; undefined where that is not allowed. */
export async function mountSmallDisk(folder: string, bytes: number): Promise<AsyncDisposable | undefined> {
  try {
    mount(folder, `size=${bytes}`);
  } catch {
    return undefined;
  }
  return { [Symbol.asyncDispose]: async () => unmount(folder) };
}

/** Makes room on a disk of `mountSmallDisk` while it is in use. */
export async function growDisk(folder: string, bytes: number): Promise<void> {
  mount(folder, `remount,size=${bytes}`);
}

function mount(folder: string, options: string): void {
  const { status, error, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
  if (status !== 0) throw new Error(`cannot mount: ${error?.message ?? stderr.toString()}`);
}

/** At once, although a program may still have files open there. */
function unmount(folder: string): void {
  spawnSync("umount", ["-l", folder]);
}
