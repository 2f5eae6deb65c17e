import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why no small disk can be had here; undefined when it can. */
export const noSmallDisk: string | undefined = whyNot();

/** A disk of its own of `bytes`, mounted in a temp folder until disposal. */
export function mountSmallDisk(bytes: number): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "marsad-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "marsad-test", path]);
  return {
    path,
    [Symbol.dispose]() {
      // Lazily: a test that failed has files open.
      execFileSync("umount", ["--lazy", path]);
      rmSync(path, { recursive: true });
    },
  };
}

function whyNot(): string | undefined {
  if (process.platform !== "linux") return "mounting a tmpfs needs Linux";
  if (process.getuid?.() !== 0) return "mounting a tmpfs needs root";
  try {
    mountSmallDisk(65_536)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return `no tmpfs can be mounted: ${String(error)}`;
  }
}
