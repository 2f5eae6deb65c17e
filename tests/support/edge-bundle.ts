import { type Metafile, build } from "esbuild";

const root = new URL("../..", import.meta.url).pathname;

/** Bundles the agent as the gateway's package does: two files of JavaScript; lmdb and, for serial lines only, serialport apart. Writes them into `outdir` if it is given. */
export async function bundleEdgeAgent(outdir?: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["edge-agent/index.ts", "edge-agent/outbox-thread.ts"],
    outdir: outdir ?? "dist",
    write: outdir !== undefined,
    bundle: true,
    metafile: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node24",
    external: ["lmdb", "serialport"],
    // Some packages are CommonJS inside and ask for Node's own modules with require().
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
    logLevel: "silent",
  });
  return metafile;
}
