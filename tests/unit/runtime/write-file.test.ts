import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeFileAtomically } from "#runtime/write-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "marsad-write-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a file is written whole, with its permissions, and nothing is left beside it", async () => {
  const path = join(folder, "ready.json");
  await writeFileAtomically(path, '{"mqtt":"127.0.0.1:1883"}', 0o600);
  expect(await readFile(path, "utf8")).toBe('{"mqtt":"127.0.0.1:1883"}');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await writeFileAtomically(path, "second", 0o600);
  expect(await readFile(path, "utf8")).toBe("second");
  expect(await readdir(folder)).toEqual(["ready.json"]);
});

test("readers see one whole text or another, whoever writes at once", async () => {
  const path = join(folder, "format.json");
  const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(20_000));
  await writeFileAtomically(path, texts[0]!);
  const writing = Promise.all(texts.map((text) => writeFileAtomically(path, text)));
  for (let read = 0; read < 50; read++) expect(texts).toContain(await readFile(path, "utf8"));
  await writing;
  expect(await readdir(folder)).toEqual(["format.json"]);
});

test("where it cannot be written the old file stays, and nothing is left beside it", async () => {
  const path = join(folder, "file");
  await writeFile(path, "old");
  await expect(writeFileAtomically(join(path, "below"), "new")).rejects.toThrow("ENOTDIR");
  await expect(writeFileAtomically(folder, "new")).rejects.toThrow("rename");
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["file"]);
});
