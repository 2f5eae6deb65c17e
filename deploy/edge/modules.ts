import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dirname, "..", "..");

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Only headers, for those who compile. */
const notAtRunTime = new Set(["node-addon-api"]);
/** What a package needs to run: code, and what it may be used under. */
const needed = /\.(?:js|cjs|mjs|json)$|^(?:LICEN[CS]E|NOTICE|COPYING)/i;
const unneededFolders =
  /^(?:node_modules|deps|dependencies|test|tests|docs?|prebuilds|bench|examples?|\.github)$/;

/** Folders of the packages `names` and of all that they depend on, as they lie below `node_modules`. */
export async function dependenciesOf(names: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const add = async (name: string, from: string): Promise<void> => {
    if (notAtRunTime.has(name)) return;
    const folder = resolvePackage(name, from);
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies = {} } = JSON.parse(
      await readFile(join(folder, "package.json"), "utf8"),
    ) as Manifest;
    for (const dependency of Object.keys(dependencies)) await add(dependency, folder);
  };
  for (const name of names) await add(name, root);
  return [...found];
}

function resolvePackage(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, "node_modules", name);
    if (existsSync(join(folder, "package.json"))) return folder;
    if (at === dirname(at)) throw new Error(`${name}, which ${from} needs, is not installed`);
  }
}

/** Copies a package's code and licence into the same place below `to/node_modules`. */
export async function copyPackage(folder: string, to: string): Promise<void> {
  const target = join(to, relative(root, folder));
  await mkdir(target, { recursive: true });
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const from = join(folder, entry.name);
    if (entry.isFile() && needed.test(entry.name)) await cp(from, join(target, entry.name));
    if (!entry.isDirectory() || unneededFolders.test(entry.name)) continue;
    await cp(from, join(target, entry.name), {
      recursive: true,
      filter: (source) => !/\.[^./]+$/.test(source) || needed.test(source.slice(source.lastIndexOf("/") + 1)),
    });
  }
}
