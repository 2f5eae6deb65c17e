import { spawnSync } from "node:child_process";
import { tempFolder } from "../../support/temp-folder.ts";

/** May this process mount? Root on a Linux machine, not in every container. */
export function canMount(): boolean {
  try {
    using disk = smallDisk("probe");
    return disk.path !== "";
  } catch {
    return false;
  }
}

/** A file system of 2 MiB in memory, on a new folder; both go when the scope ends. */
export function smallDisk(name: string): Disposable & { readonly path: string } {
  const folder = tempFolder(name);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder.path]);
  if (mounted.status !== 0) {
    folder[Symbol.dispose]();
    throw new Error(`cannot mount: ${mounted.error?.message ?? mounted.stderr.toString()}`);
  }
  return {
    path: folder.path,
    [Symbol.dispose]: () => {
      spawnSync("umount", [folder.path]);
      folder[Symbol.dispose]();
    },
  };
}
