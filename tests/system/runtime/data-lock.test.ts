import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFolder } from "#runtime/data-lock.ts";
import { startChild } from "./children.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "marsad-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a folder held by another process is refused with that process' number", async () => {
  await using holder = startChild("lock-holder", [folder]);
  await holder.untilLines(1);
  expect(holder.lines).toEqual(["locked"]);
  expect(() => lockFolder(folder)).toThrow(`${folder} is used by process ${holder.pid}`);
  await using other = startChild("lock-holder", [folder]);
  await other.untilLines(1);
  expect(other.lines).toEqual([`DATA_LOCKED ${folder} is used by process ${holder.pid}`]);
});

test("kill -9 of the holder frees the folder at once, every time", async () => {
  for (let round = 0; round < 4; round++) {
    await using holder = startChild("lock-holder", [folder]);
    await holder.untilLines(1);
    expect(holder.lines).toEqual(["locked"]);
    holder.kill("SIGKILL");
    await holder.ended;
    using lock = lockFolder(folder);
    expect(lock).toBeDefined();
  }
});

test("of several that start at once one gets the folder", async () => {
  const rivals = Array.from({ length: 5 }, () => startChild("lock-holder", [folder]));
  await Promise.all(rivals.map((rival) => rival.untilLines(1)));
  const answers = rivals.map((rival) => rival.lines[0]!.split(" ")[0]);
  await Promise.all(rivals.map((rival) => rival[Symbol.asyncDispose]()));
  expect(answers.filter((answer) => answer === "locked")).toHaveLength(1);
  expect(answers.filter((answer) => answer === "DATA_LOCKED")).toHaveLength(4);
});

test("a program that only looks whether the folder is locked does not keep others from it", async () => {
  await using looker = startChild("lock-looker", [folder]);
  await looker.untilLines(1);
  for (let attempt = 0; attempt < 200; attempt++) {
    using lock = lockFolder(folder);
    expect(lock).toBeDefined();
  }
});

test("a second try in the same process does not give the lock away", async () => {
  using lock = lockFolder(folder);
  expect(lock).toBeDefined();
  expect(() => lockFolder(folder)).toThrow("is used by process");
  await using other = startChild("lock-holder", [folder]);
  await other.untilLines(1);
  expect(other.lines).toEqual([`DATA_LOCKED ${folder} is used by process ${process.pid}`]);
});
