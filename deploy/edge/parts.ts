import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");
/** Packages for other architectures than this machine's, unpacked: they are fetched once. */
const cache = join(root, "dist", "edge-parts");

export const arches = ["x64", "arm64"] as const;
export type Arch = (typeof arches)[number];

/** Node for Linux, as the devDependency `node` brings it for this machine. Another version needs other sums. */
const node = {
  version: "24.21.0",
  integrity: {
    x64: "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
    arm64: "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
  },
} as const;

/** Says which part of a package for gateways cannot be had here. */
export class MissingPart extends Error {}

interface Manifest {
  readonly version: string;
}
interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

async function readJson<Document>(path: string): Promise<Document> {
  return JSON.parse(await readFile(path, "utf8")) as Document;
}

/** Folder of npm's package `node-linux-ARCH`: `bin/node` and `LICENSE`. */
export async function nodeFor(arch: Arch): Promise<string> {
  const { version } = await readJson<Manifest>(join(root, "node_modules", "node", "package.json"));
  if (version !== node.version) {
    throw new Error(
      `the devDependency node is ${version}, deploy/edge/parts.ts knows the sums of ${node.version}: change both`,
    );
  }
  const name = `node-linux-${arch}`;
  const installed = [
    join(root, "node_modules", "node", "node_modules", name),
    join(root, "node_modules", name),
  ];
  return (
    installed.find((path) => existsSync(join(path, "bin", "node"))) ??
    (await fetchPart(name, version, node.integrity[arch]))
  );
}

/** Folder of lmdb's prebuilt addon; its version and sum are package-lock.json's. */
export async function lmdbFor(arch: Arch): Promise<string> {
  const name = `@lmdb/lmdb-linux-${arch}`;
  const path = `node_modules/${name}`;
  if (existsSync(join(root, path))) return join(root, path);
  const { version, integrity } = (await readJson<Lock>(join(root, "package-lock.json"))).packages[path] ?? {};
  if (version === undefined || integrity === undefined) throw new Error(`package-lock.json has no ${path}`);
  return await fetchPart(name, version, integrity);
}

/** Fetches a package from npm's registry, compares its sum, and unpacks it. */
async function fetchPart(name: string, version: string, integrity: string): Promise<string> {
  const folder = join(cache, `${name.replace("/", "-")}-${version}`);
  if (existsSync(folder)) return folder;
  const unpacking = `${folder}.${process.pid}`;
  await mkdir(unpacking, { recursive: true });
  try {
    const archive = join(unpacking, await pack(name, version, unpacking));
    const sum = `sha512-${createHash("sha512")
      .update(await readFile(archive))
      .digest("base64")}`;
    if (sum !== integrity)
      throw new Error(`${name}@${version} has the sum ${sum}, and should have ${integrity}`);
    await run("tar", ["-xzf", archive, "-C", unpacking]);
    await rename(join(unpacking, "package"), folder);
  } finally {
    await rm(unpacking, { recursive: true, force: true });
  }
  return folder;
}

async function pack(name: string, version: string, into: string): Promise<string> {
  try {
    const args = ["pack", `${name}@${version}`, "--json", "--ignore-scripts", "--pack-destination", into];
    const { stdout } = await run("npm", args, { cwd: into, maxBuffer: 64 * 1024 * 1024 });
    const [packed] = JSON.parse(stdout) as { filename: string }[];
    return packed!.filename.replace("@", "").replace("/", "-");
  } catch (error) {
    throw new MissingPart(`${name}@${version} is not installed here and cannot be fetched with npm`, {
      cause: error,
    });
  }
}
