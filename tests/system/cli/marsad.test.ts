import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import pino from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openApi, type Api } from "#api/api.ts";
import { prepareCity } from "#cli/up/demo-city.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { account, letter, memoryPlatform, type MemoryPlatform } from "../../unit/api/memory-platform.ts";
import { cleanEnvironment, collect, entry, runMarsad } from "./run-marsad.ts";

/** Where nothing listens any more. */
let nowhere: string;
let platform: MemoryPlatform;
let api: Api;

beforeAll(async () => {
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  nowhere = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
  gone.close();
  platform = memoryPlatform();
  platform.accountList.push(account);
  platform.letters.push({
    ...letter,
    payload: Buffer.from("traffic_flow,sensor=tf-001 vehicles=3\u001b[2J 9\n"),
  });
  api = await openApi({
    listen: { host: "127.0.0.1", port: 0 },
    port: platform,
    metrics: new Registry(),
    log: pino({ level: "silent" }),
    version: "0.0.0",
  });
});
afterAll(() => api[Symbol.asyncDispose]());

describe("help", () => {
  test("names every command, and every command explains itself", async () => {
    const { code, stdout } = await runMarsad(["--help"]);
    expect(code).toBe(0);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name!);
    expect(commands).toEqual(expect.arrayContaining(["up", "status", "account", "deadletters"]));
    for (const command of commands) {
      const help = await runMarsad([command, "--help"]);
      expect({ command, code: help.code, stderr: help.stderr }).toEqual({ command, code: 0, stderr: "" });
      expect(help.stdout).toContain(`Usage: marsad ${command}`);
    }
  });

  test("loads no command's machinery", async () => {
    const trace = `
      import { registerHooks } from "node:module";
      registerHooks({ load(url, context, next) { console.error(url); return next(url, context); } });`;
    const child = spawn(
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(trace)}`, entry, "--help"],
      { env: cleanEnvironment(), stdio: ["ignore", "pipe", "pipe"] },
    );
    const { stderr } = await collect(child);
    expect(stderr).toContain("marsad.ts");
    expect(stderr).not.toMatch(/duckdb|aedes|lmdb|fastify|\/cli\/(?!(?:report|threads)\.ts)/);
  });
});

describe("wrong usage ends with 2 and one line", () => {
  test.each([
    ["an unknown command", ["statsu"], /^marsad: unknown command 'statsu' \(Did you mean status\?\)\n$/],
    ["an unknown option", ["status", "--bogus"], /^marsad: unknown option '--bogus'\n$/],
    [
      "an option without its value",
      ["status", "--http"],
      /^marsad: option '--http <url>' argument missing\n$/,
    ],
    ["too many arguments", ["status", "now"], /^marsad: too many arguments/],
    ["a missing argument", ["deadletters", "show"], /^marsad: missing required argument 'id'\n$/],
    [
      "a value out of bounds",
      ["deadletters", "list", "--limit", "0"],
      /^marsad: option '--limit <count>'.*1000\.\n$/,
    ],
    [
      "an unknown reason",
      ["deadletters", "list", "--reason", "bored"],
      /^marsad: option '--reason <reason>'.*future/,
    ],
    ["a replay of nothing in particular", ["deadletters", "replay"], /^marsad: say which: /],
    ["a bad duration", ["up", "--history", "3x"], /^marsad: .*30d, 12h/],
    ["a bad address", ["up", "--mqtt", "here"], /^marsad: "here" is no address/],
    ["a URL that is none", ["status", "--http", "http://"], /^marsad: --http http:\/\/ is no address/],
  ])("%s", async (_what, args, line) => {
    const { code, stdout, stderr } = await runMarsad(args);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  test("no command at all: the help, on stderr", async () => {
    const { code, stdout, stderr } = await runMarsad([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: marsad");
  });
});

describe("a platform that cannot be reached ends with 1", () => {
  test.each([["status"], ["account"], ["deadletters list"]])(
    "marsad %s says where it looked and how to mend it",
    async (command) => {
      const { code, stdout, stderr } = await runMarsad([...command.split(" "), "--http", nowhere, "--json"]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(
        /^marsad: The platform at http:\/\/127\.0\.0\.1:\d+ does not answer .*marsad up.*--http URL\.\n$/,
      );
    },
  );

  test("the address may come from the environment", async () => {
    const { stderr } = await runMarsad(["status"], { MARSAD_HTTP: nowhere.slice("http://".length) });
    expect(stderr).toContain(nowhere);
  });

  test("a stack is shown only when asked for", async () => {
    const { stderr } = await runMarsad(["status", "--http", nowhere], { MARSAD_LOG_LEVEL: "debug" });
    expect(stderr).toContain("    at ");
    expect(stderr).toContain("ECONNREFUSED");
  });

  test("something else that answers there is named as such", async () => {
    await using other = createServer((_request, response) => response.end("<html>"));
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await runMarsad(["status", "--http", `127.0.0.1:${port}`]);
    expect(code).toBe(1);
    expect(stderr).toContain("is no Marsad platform");
  });
});

describe("marsad status", () => {
  test("is 0 when all parts work and 1 when one does not, and says which", async () => {
    const well = await runMarsad(["status", "--http", api.address]);
    expect(well).toMatchObject({ code: 0, stderr: "" });
    expect(well.stdout).toContain("is ready");
    expect(well.stdout).not.toContain("\u001b");

    platform.parts[1] = { name: "journal", ok: false, why: "The disk is full." };
    const ill = await runMarsad(["status", "--http", api.address]);
    expect(ill.code).toBe(1);
    expect(ill.stdout).toContain("The disk is full.");
    platform.parts[1] = { name: "journal", ok: true };
  });

  test("--json is one document and nothing else", async () => {
    const { stdout, stderr } = await runMarsad(["status", "--http", api.address, "--json"]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({
      address: api.address,
      ready: true,
      gateways: 1,
      totals: { stored: 0 },
    });
  });
});

describe("marsad account", () => {
  test("shows each ledger, why readings were refused, and is 0 while all balance", async () => {
    const { code, stdout } = await runMarsad(["account", "--http", api.address]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^GATEWAY +AGENCY +SEEN +SENT/);
    expect(stdout).toMatch(/gw-north +mobility +connected +12 +10 +1 +1 +0 +0 +0 +yes/);
    expect(stdout).toContain("gw-north: refused 1 for future");
  });

  test("is 1 and says so when one does not balance", async () => {
    const gap = { outbox: "5f0c0e9e-6f5e-4a6e-9a3e-1f8b4f1f4a10", from: 4, to: 9 };
    platform.accountList.push({ ...account, gateway: "gw-south", balanced: false, missing: [gap] });
    const { code, stdout } = await runMarsad(["account", "--http", api.address]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^all +- +- +24 +20/m);
    expect(stdout).toContain("gw-south: missing 4 to 8 of outbox 5f0c0e9e");
    expect(stdout).toContain("Not balanced: gw-south.");

    const document = JSON.parse(
      (await runMarsad(["account", "--http", api.address, "--json"])).stdout,
    ) as object;
    expect(document).toMatchObject({ balanced: false, gateways: [account, { gateway: "gw-south" }] });
    const north = await runMarsad(["account", "gw-north", "--http", api.address]);
    expect(north.code).toBe(0);
    platform.accountList.pop();
  });

  test("an unknown gateway is 1, with the nearest names", async () => {
    const { code, stderr } = await runMarsad(["account", "gw-nort", "--http", api.address]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'marsad: There is no gateway "gw-nort". Did you mean gw-north?\n',
    });
  });
});

describe("marsad deadletters", () => {
  test("list shows what was refused", async () => {
    const { code, stdout } = await runMarsad([
      "deadletters",
      "list",
      "--http",
      api.address,
      "--reason",
      "future",
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/dl-1 +2026-01-01 00:00:00Z +gw-north +future +1 +5 +The time is 9 min ahead\./);
    expect(platform.asked.list).toEqual({ reason: "future", limit: 50 });
  });

  test("show prints the bytes, without what would move the cursor", async () => {
    const { stdout } = await runMarsad(["deadletters", "show", "dl-1", "--http", api.address]);
    expect(stdout).toContain("traffic_flow,sensor=tf-001 vehicles=3\ufffd[2J 9");
    const { code, stderr } = await runMarsad(["deadletters", "show", "dl-9", "--http", api.address]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'marsad: There is no dead letter "dl-9".\n' });
  });

  test("replay says what became of them", async () => {
    const { stdout } = await runMarsad([
      "deadletters",
      "replay",
      "--gateway",
      "gw-north",
      "--http",
      api.address,
    ]);
    expect(stdout).toBe("1 tried, 0 accepted, 1 refused again.\n");
    expect(platform.asked.replay).toEqual({ gateway: "gw-north" });
  });
});

test("an older Node hands over to the one that npm ci brought", async () => {
  const launcher = join(entry, "..", "bin", "marsad.js");
  // An older Node is played by this one: the launcher looks at nothing but the version.
  const pretend =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })";
  const run = (args: readonly string[]): ReturnType<typeof collect> =>
    collect(
      spawn(
        process.execPath,
        ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, launcher, ...args],
        {
          env: cleanEnvironment(),
          stdio: ["ignore", "pipe", "pipe"],
        },
      ),
    );
  expect(await run(["--version"])).toMatchObject({ code: 0, stdout: "0.1.0\n", stderr: "" });
  expect((await run(["nonsense"])).code).toBe(2);
});

test("up refuses a folder with another city than the one asked for, before it starts anything", async () => {
  using folder = tempFolder("up");
  const data = folder.path;
  await prepareCity(data, { seed: 7, sensors: 12, history_ms: 0 }, "127.0.0.1:1883");
  const { code, stderr } = await runMarsad(["up", "--data", data, "--seed", "8"]);
  expect(code).toBe(2);
  expect(stderr).toBe(`marsad: ${data} holds a city with seed 7: leave --seed out, or say another --data.\n`);
});
