import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { oncePer } from "#runtime/log.ts";

const run = promisify(execFile);
const module = new URL("../../../runtime/log.ts", import.meta.url).href;

async function output(options: object): Promise<{ stdout: string; stderr: string }> {
  const script = `
    const { openLog } = await import(${JSON.stringify(module)});
    const log = openLog(${JSON.stringify(options)});
    log.debug("Too quiet.");
    log.child({ part: "broker" }).warn({ gateway: "north-1", err: new Error("cut") }, "The link is cut.");
    process.kill(process.pid, "SIGKILL");`;
  return run(process.execPath, ["--input-type=module", "--eval", script]).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
}

test("log lines are JSON on stderr, written before the process can die, and stdout stays empty", async () => {
  const { stdout, stderr } = await output({ name: "marsad", level: "info" });
  expect(stdout).toBe("");
  const lines = stderr.trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 40,
    name: "marsad",
    part: "broker",
    gateway: "north-1",
    err: { message: "cut" },
    msg: "The link is cut.",
  });
});

test("pretty lines are for people, also on stderr", async () => {
  const { stdout, stderr } = await output({ name: "marsad", level: "info", pretty: true });
  expect(stdout).toBe("");
  expect(stderr).toContain("The link is cut.");
  expect(stderr).toContain("north-1");
  expect(stderr).not.toContain("Too quiet.");
});

test("a repeated key is answered once in the interval, with how often it was held back", () => {
  let now_ms = 0;
  const sometimes = oncePer(10_000, () => now_ms);
  expect(sometimes("full")).toBe(0);
  now_ms = 9_999;
  expect(sometimes("full")).toBeUndefined();
  expect(sometimes("full")).toBeUndefined();
  expect(sometimes("cut")).toBe(0);
  now_ms = 10_000;
  expect(sometimes("full")).toBe(2);
  now_ms = 20_000;
  expect(sometimes("full")).toBe(0);
});

test("keys from outside do not grow memory: the oldest is forgotten", () => {
  const sometimes = oncePer(10_000, () => 0);
  expect(sometimes("first")).toBe(0);
  for (let index = 0; index < 1_000; index++) sometimes(`gateway-${index}`);
  expect(sometimes("first")).toBe(0);
  expect(sometimes("gateway-999")).toBeUndefined();
});
