import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFolder } from "#runtime/data-lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "marsad-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a folder is made, is taken once, also within one process, and is free after disposal", async () => {
  const path = join(folder, "city", "data");
  const lock = lockFolder(path);
  expect(() => lockFolder(path)).toThrow(`${path} is used by process ${process.pid}`);
  lock[Symbol.dispose]();
  lock[Symbol.dispose]();
  using again = lockFolder(path);
  expect(again).toBeDefined();
  expect((await stat(path)).mode & 0o077).toBe(0);
});

test("a folder that cannot be made is told with its path", async () => {
  await writeFile(join(folder, "file"), "");
  const path = join(folder, "file", "data");
  expect(() => lockFolder(path)).toThrow(expect.objectContaining({ code: "DATA_UNUSABLE" }));
  expect(() => lockFolder(path)).toThrow(path);
});
