import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { untilSignal } from "#runtime/lifecycle.ts";

const program = new URL("./workers/patient.ts", import.meta.url).pathname;

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

test.for(["SIGINT", "SIGTERM"] as const)("%s asks the program to end in order", async (signal) => {
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
