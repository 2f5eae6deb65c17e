import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { drawing, importTable } from "./support/import-table.ts";

/** The version is the package's, and programs are started by their entry: neither is a folder. */
const shared = new Set(["package.json", "marsad.ts"]);
const root = join(import.meta.dirname, "..");
/** `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")`, and `new URL("./x.ts", import.meta.url)`. */
const specifierPattern = /(?:\bfrom\s+|\bimport\s+|\bimport\(\s*|\bnew URL\(\s*)"([^"]+)"/g;

function sourcesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.includes("node_modules"))
    .map((path) => join(folder, path));
}

function importsOf(file: string): string[] {
  return Array.from(
    readFileSync(join(root, file), "utf8").matchAll(specifierPattern),
    ([, specifier = ""]) => specifier,
  );
}

describe.each(Object.entries(importTable))("%s", (folder, allowed) => {
  const imports = sourcesOf(folder).flatMap((file) =>
    importsOf(file).map((specifier) => ({ file, specifier })),
  );

  test("imports only what the table allows", () => {
    const forbidden = imports
      .filter(({ specifier }) => specifier.startsWith("#"))
      .filter(({ specifier }) => {
        const target = specifier.slice(1).split("/")[0] ?? "";
        return target !== folder && !allowed.includes(target);
      })
      .map(({ file, specifier }) => `${file} imports ${specifier}`);
    expect(forbidden).toEqual([]);
  });

  test("reaches other folders by their names, not by a path", () => {
    const byPath = imports
      .filter(({ file, specifier }) => {
        if (!specifier.startsWith(".")) return false;
        const target = join(file, "..", specifier);
        return !target.startsWith(`${folder}/`) && !shared.has(target);
      })
      .map(({ file, specifier }) => `${file} imports ${specifier}`);
    expect(byPath).toEqual([]);
  });
});

test("telemetry does no input or output", () => {
  const builtins = sourcesOf("telemetry").flatMap((file) =>
    importsOf(file)
      .filter((specifier) =>
        /^(?:node:)?(?:fs|net|dgram|http|https|child_process|worker_threads|os|process)\b/.test(specifier),
      )
      .map((specifier) => `${file} imports ${specifier}`),
  );
  expect(builtins).toEqual([]);
});

test("nothing but marsad.ts and cli/ reads the environment", () => {
  const folders = Object.keys(importTable).filter((folder) => folder !== "cli");
  const readers = folders
    .flatMap(sourcesOf)
    .filter((file) => readFileSync(join(root, file), "utf8").includes("process.env"));
  expect(readers).toEqual([]);
});

test("every library folder has its name in package.json, and no name lacks its folder", () => {
  const named = Object.keys(packageJson.imports).map((name) => name.slice(1, -2));
  expect(named.toSorted()).toEqual(Object.keys(importTable).toSorted());
});

test("the README's drawing is the table's", () => {
  expect(readFileSync(join(root, "README.md"), "utf8")).toContain(drawing());
});
