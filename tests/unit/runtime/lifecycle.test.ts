import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { untilSignal } from "#runtime/lifecycle.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const program = new URL("./workers/patient.ts", import.meta.url).pathname;
const reloading = new URL("./workers/reloading.ts", import.meta.url).pathname;

/** Runs the program, sends `signals` one by one, each after the line that the one before made it say. */
async function run(
  args: string[],
  signals: NodeJS.Signals[],
): Promise<{ code: unknown; lines: string[]; stderr: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  let stderr = "";
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    const signal = signals.shift();
    if (signal !== undefined) child.kill(signal);
  }
  const [code] = (await ended) as [unknown];
  return { code, lines, stderr };
}

test.for(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s asks the program to end in order", async (signal) => {
  expect(await run([], [signal])).toEqual({ code: 0, lines: ["ready", signal], stderr: "" });
});

test("a second signal ends it at once, with a word", async () => {
  const { code, lines, stderr } = await run(["slow"], ["SIGTERM", "SIGINT"]);
  expect([code, lines]).toEqual([130, ["ready", "SIGTERM"]]);
  expect(stderr).toContain("SIGINT again");
});

test("after disposal signals have their usual meaning again", () => {
  const before = process.listenerCount("SIGTERM");
  {
    using ending = untilSignal();
    expect(ending.signal.aborted).toBe(false);
    expect(process.listenerCount("SIGTERM")).toBe(before + 1);
  }
  expect(process.listenerCount("SIGTERM")).toBe(before);
});

test("SIGHUP makes a program that can reload do so, as often as asked and never twice at once", async () => {
  using folder = tempFolder("lifecycle");
  const notes = join(folder.path, "notes");
  const child = spawn(process.execPath, [reloading, notes], { stdio: "ignore" });
  const ended = once(child, "exit");
  const until = (words: string): Promise<true> =>
    poll(() => (existsSync(notes) && readFileSync(notes, "utf8").endsWith(words) ? true : undefined));
  await until("ready\n");
  child.kill("SIGHUP");
  await until("reload\n");
  child.kill("SIGHUP");
  await until("reload\nreloaded\nreload\nreloaded\n");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(readFileSync(notes, "utf8").split("\n").slice(-2)).toEqual(["SIGTERM", ""]);
});

test("a SIGHUP before the program can reload is not forgotten", async () => {
  using folder = tempFolder("lifecycle");
  const notes = join(folder.path, "notes");
  const child = spawn(process.execPath, [reloading, notes, "late"], { stdio: "ignore" });
  const ended = once(child, "exit");
  await poll(() => (existsSync(notes) ? true : undefined));
  child.kill("SIGHUP");
  await poll(() => (readFileSync(notes, "utf8").includes("reloaded") ? true : undefined));
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});

const noScript = existsSync("/usr/bin/script") ? false : "needs script(1), for a terminal to close";
test.skipIf(noScript)("a closed terminal ends a program that can reload", async () => {
  using folder = tempFolder("lifecycle");
  const notes = join(folder.path, "notes");
  const command = `exec '${process.execPath}' '${reloading}' '${notes}'`;
  const terminal = spawn("/usr/bin/script", ["-qec", command, "/dev/null"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  await poll(() => (existsSync(notes) && readFileSync(notes, "utf8").includes("ready") ? true : undefined));
  terminal.kill("SIGKILL");
  await poll(() => (readFileSync(notes, "utf8").includes("SIGHUP") ? true : undefined));
  expect(readFileSync(notes, "utf8")).toBe("started\nready\nSIGHUP\n");
});
