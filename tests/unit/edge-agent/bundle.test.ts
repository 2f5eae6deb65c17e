import { isBuiltin } from "node:module";
import { describe, expect, test } from "vitest";
import { bundleEdgeAgent } from "../../support/edge-bundle.ts";

/** Of `debug` and `ws`, each asked for in a try block: nothing is missing without them. */
const optional = new Set(["supports-color", "bufferutil", "utf-8-validate"]);

describe("what a gateway gets", async () => {
  const metafile = await bundleEdgeAgent();
  const inputs = Object.keys(metafile.inputs);

  test("has no DuckDB in it, nor any native module; lmdb is beside it, and serialport where there is a serial line", () => {
    expect(inputs.filter((path) => /duckdb|argon2|\.node$/.test(path))).toEqual([]);
    const external = Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.filter((entry) => entry.external),
    );
    const packages = external
      .map(({ path }) => path)
      .filter((path) => !isBuiltin(path) && !optional.has(path));
    expect([...new Set(packages)].sort()).toEqual(["lmdb", "serialport"]);
  });

  test("has nothing of the platform in it: only edge-agent, telemetry and runtime", () => {
    const folders = inputs
      .filter((path) => !path.startsWith("node_modules/"))
      .map((path) => path.split("/")[0]);
    expect(new Set(folders)).toEqual(new Set(["edge-agent", "package.json", "runtime", "telemetry"]));
  });

  test("is small", () => {
    const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
    expect(bytes).toBeLessThan(1_500_000);
  });
});
