import { mkdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { buildPackage } from "./package.ts";
import { MissingPart, arches } from "./parts.ts";

/** `npm run build:edge [x64|arm64 …]`: the packages for gateways, into dist/. */
const outdir = join(import.meta.dirname, "..", "..", "dist");
const wanted = process.argv.slice(2);
const unknown = wanted.filter((arch) => !arches.some((known) => known === arch));
if (unknown.length > 0) {
  console.error(`build:edge: ${unknown.join(", ")} is none of ${arches.join(", ")}`);
  process.exit(2);
}
await mkdir(outdir, { recursive: true });
for (const arch of arches.filter((known) => wanted.length === 0 || wanted.includes(known))) {
  try {
    const tarball = await buildPackage({ arch, outdir });
    const { size } = await stat(tarball);
    console.log(`${relative(process.cwd(), tarball)}  ${(size / 2 ** 20).toFixed(1)} MiB`);
  } catch (error) {
    if (!(error instanceof MissingPart)) throw error;
    console.error(`build:edge: no package for linux ${arch}: ${error.message}`);
    process.exitCode = 1;
  }
}
