import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { chmod, cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type Metafile, type Plugin, build } from "esbuild";
import packageJson from "../../package.json" with { type: "json" };
import { copyPackage, dependenciesOf } from "./modules.ts";
import { type Arch, lmdbFor, nodeFor } from "./parts.ts";

const root = join(import.meta.dirname, "..", "..");
/** With native code of their own, so that they stay packages. */
const native = ["lmdb", "serialport"];
const { version } = packageJson;

export interface PackageOptions {
  readonly arch: Arch;
  /** Where the tarball is written. */
  readonly outdir: string;
  /** Of gzip. */
  readonly level?: number;
}

/**
 * Makes `marsad-edge-VERSION-linux-ARCH.tar.gz`: all that a gateway needs, Node too, and nothing of the platform.
 * @returns its path.
 * @throws MissingPart: something for the architecture is not here and cannot be fetched
 */
export async function buildPackage({ arch, outdir, level = 9 }: PackageOptions): Promise<string> {
  const name = `marsad-edge-${version}-linux-${arch}`;
  const [nodeFolder, lmdbFolder] = [await nodeFor(arch), await lmdbFor(arch)];
  const work = join(outdir, `${name}.work`);
  const folder = join(work, `marsad-edge-${version}`);
  await rm(work, { recursive: true, force: true });
  try {
    await mkdir(join(folder, "bin"), { recursive: true });
    const bundled = await bundle(join(folder, "lib"));
    await copyModules(join(folder, "lib"), arch, lmdbFolder);
    await cp(join(nodeFolder, "bin", "node"), join(folder, "bin", "node"));
    for (const file of ["README.md", "install.sh", "marsad-edge.service", "gateway.yaml"])
      await cp(join(import.meta.dirname, file), join(folder, file));
    await cp(join(import.meta.dirname, "marsad-edge.sh"), join(folder, "bin", "marsad-edge"));
    for (const file of ["bin/node", "bin/marsad-edge", "install.sh"]) await chmod(join(folder, file), 0o755);
    await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
    await cp(join(nodeFolder, "LICENSE"), join(folder, "licenses", "node"));
    await copyLicenses(bundled, join(folder, "licenses"));
    const tarball = join(outdir, `${name}.tar.gz`);
    await archive(work, tarball, level);
    return tarball;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The agent as two files: the program, and its outbox's thread. */
export async function bundle(outdir: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { "marsad-edge": "cli/edge-program.ts", "outbox-thread": "edge-agent/outbox-thread.ts" },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    metafile: true,
    minify: true,
    keepNames: true,
    platform: "node",
    format: "esm",
    target: "node24",
    // pino-pretty is loaded on a terminal only, by a require of its own.
    external: [...native, "pino-pretty"],
    // Some packages are CommonJS inside and ask for Node's own modules with require().
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
    plugins: [versionOnly, englishOnly],
    logLevel: "warning",
  });
  return metafile;
}

/** Of the repository's package.json the bundle says the version alone. */
const versionOnly: Plugin = {
  name: "version-only",
  setup(builder) {
    const manifest = join(root, "package.json");
    builder.onLoad({ filter: /package\.json$/ }, ({ path }) =>
      path === manifest ? { contents: JSON.stringify({ version }), loader: "json" } : undefined,
    );
  },
};

/** Of zod's 50 languages the agent's errors are in one. */
const englishOnly: Plugin = {
  name: "english-only",
  setup(builder) {
    builder.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: join(root, "node_modules", "zod", "v4", "locales"),
    }));
  },
};

async function copyModules(lib: string, arch: Arch, lmdbFolder: string): Promise<void> {
  for (const folder of await dependenciesOf([...native, "pino-pretty"])) await copyPackage(folder, lib);
  const lmdb = join(lib, "node_modules", "@lmdb", `lmdb-linux-${arch}`);
  await mkdir(lmdb, { recursive: true });
  // Node 24 loads the Node-API build; the others are for older ones, and for musl.
  for (const file of ["package.json", "index.js", "node.napi.glibc.node"])
    await cp(join(lmdbFolder, file), join(lmdb, file));
  const serial = join("@serialport", "bindings-cpp", "prebuilds", `linux-${arch}`);
  for (const file of await readdir(join(root, "node_modules", serial))) {
    if (file.endsWith(".glibc.node"))
      await cp(join(root, "node_modules", serial, file), join(lib, "node_modules", serial, file));
  }
}

/** Licences of the packages that are in the bundle; those that stayed packages have theirs with them. */
async function copyLicenses({ inputs }: Metafile, to: string): Promise<void> {
  const packages = new Set(
    Object.keys(inputs).flatMap(
      (file) => /^(?:.*node_modules\/)((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[0] ?? [],
    ),
  );
  await mkdir(to, { recursive: true });
  for (const folder of packages) {
    const name = folder.split("node_modules/").at(-1)!.replace(/\/$/, "").replaceAll("/", "-");
    const names = await readdir(join(root, folder));
    const license = names.find((file) => /^(?:LICEN[CS]E|COPYING)/i.test(file));
    if (license !== undefined) await cp(join(root, folder, license), join(to, name));
    else await writeFile(join(to, name), await stated(join(root, folder)));
  }
}

/** What a package without a file says in its package.json. */
async function stated(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(
    await readFile(join(folder, "package.json"), "utf8"),
  ) as Record<string, unknown>;
  return `${String(name)} ${String(version)}: ${String(license)}\n`;
}

/** The same content gives the same bytes. */
async function archive(folder: string, to: string, level: number): Promise<void> {
  const [inner] = await readdir(folder);
  const same = [
    "--sort=name",
    "--mtime=@1735689600",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mode=u+rwX,go=rX",
  ];
  const tar = spawn("tar", ["-c", ...same, "-C", folder, inner!], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(tar, "exit");
  await pipeline(tar.stdout, createGzip({ level }), createWriteStream(to));
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`tar ended with ${code}`);
}
