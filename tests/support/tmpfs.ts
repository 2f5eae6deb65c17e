import { spawnSync } from "node:child_process";
import { tempFolder } from "./temp-folder.ts";

/** A file system in memory, of few MiB; it goes when the scope ends. */
export interface SmallDisk extends Disposable {
  readonly path: string;
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

export function smallDisk(name: string, mebibytes: number): SmallDisk {
  const folder = tempFolder(name);
  const mount = (...options: string[]): void => {
    const done = spawnSync("mount", ["-t", "tmpfs", "-o", options.join(), "tmpfs", folder.path]);
    if (done.status !== 0) throw new Error(`cannot mount: ${done.error?.message ?? done.stderr.toString()}`);
  };
  try {
    mount(`size=${mebibytes}m`);
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
  return {
    path: folder.path,
    resize: (size) => mount("remount", `size=${size}m`),
    [Symbol.dispose]: () => {
      spawnSync("umount", [folder.path]);
      folder[Symbol.dispose]();
    },
  };
}
