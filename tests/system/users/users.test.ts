import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addToken } from "#api/access/tokens.ts";
import { listUsers } from "#api/access/users.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { cleanEnvironment, collect, type Ended, entry, runMarsad } from "../cli/run-marsad.ts";

const folder = tempFolder("users");
const password = "correct horse battery";
let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform({ folder: folder.path });
});
afterAll(async () => {
  await platform[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const basic = (name: string, secret: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`,
});

async function status(headers: Record<string, string> = {}, path = "/api/v1/totals"): Promise<number> {
  const response = await fetch(`${platform.ready.http}${path}`, { headers });
  await response.arrayBuffer();
  return response.status;
}

/** `marsad ARGS` on the platform's data folder, with what is written to its standard input. */
async function marsad(args: readonly string[], { input = "", env = {} } = {}): Promise<Ended> {
  const child = spawn(process.execPath, [entry, ...args], {
    env: cleanEnvironment({ MARSAD_DATA: platform.data, MARSAD_HTTP: platform.ready.http, ...env }),
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(input);
  return await collect(child);
}

/** A viewer's token. */
async function giveToken(name: string): Promise<string> {
  await using identities = await openRecordStore(join(platform.data, "identities"));
  return addToken(identities, { name, role: "viewer" });
}

/** Of sorted numbers. */
function median(times: readonly number[]): number {
  return times[times.length >> 1]!;
}

/** Milliseconds that `work` takes. */
async function duration(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

test("a user who is added while the platform runs closes it to everybody else, and the last removal opens it again", async () => {
  expect(await status()).toBe(200);
  const added = await marsad(["user", "add", "alice", "--role", "operator"], { input: `${password}\n` });
  expect(added).toMatchObject({ code: 0, stderr: "" });
  expect(added.stdout).toContain("From now on HTTP asks everybody");
  expect(added.stdout).not.toContain(password);
  expect(await status()).toBe(401);
  expect(await status(basic("alice", password))).toBe(200);
  expect(await status(basic("alice", "wrong horse battery"))).toBe(401);

  expect(await marsad(["user", "role", "alice", "viewer", "--json"])).toMatchObject({ code: 0, stderr: "" });
  const replay = {
    method: "POST",
    headers: { ...basic("alice", password), "content-type": "application/json" },
  };
  const replayed = await fetch(`${platform.ready.http}/api/v1/deadletters/replay`, { ...replay, body: "{}" });
  expect(await replayed.json()).toMatchObject({
    status: 403,
    detail: expect.stringContaining("operator or admin"),
  });

  const file = join(folder.path, "password");
  await writeFile(file, "another horse battery\r\n");
  expect(await marsad(["user", "password", "alice", "--password-file", file])).toMatchObject({ code: 0 });
  expect(await status(basic("alice", password))).toBe(401);
  expect(await status(basic("alice", "another horse battery"))).toBe(200);

  const removed = await marsad(["user", "remove", "alice"]);
  expect(removed.stdout).toContain("There is nobody left");
  expect(await status(basic("alice", "another horse battery"))).toBe(200);
  expect(await status()).toBe(200);
});

test("the commands show a token or a user's password, and a refusal says in words what to do", async () => {
  const [scripts, bob] = await Promise.all([
    marsad(["token", "add", "scripts", "--role", "viewer", "--expires", "1h", "--json"]),
    marsad(["user", "add", "bob", "--role", "viewer", "--generate", "--json"]),
  ]);
  const { token, expires } = JSON.parse(scripts.stdout) as { token: string; expires: string };
  const { password: bobs } = JSON.parse(bob.stdout) as { password: string };
  expect(Date.parse(expires)).toBeGreaterThan(Date.now());
  expect(await status({ authorization: `Bearer ${token}` })).toBe(200);
  const file = join(folder.path, "token");
  await writeFile(file, `${token}\n`);

  const replay = ["deadletters", "replay", "--all", "--user", "bob"];
  const elsewhere = ["status", "--http", "http://192.0.2.1:8080"];
  const cases: [args: string[], env: Record<string, string>, code: number, said: RegExp][] = [
    [["status"], { MARSAD_TOKEN: token }, 0, /^$/],
    [["account"], { MARSAD_TOKEN_FILE: file }, 0, /^$/],
    [["deadletters", "list", "--user", "bob"], { MARSAD_PASSWORD: bobs }, 0, /^$/],
    [["account"], {}, 1, /^marsad: The platform asks who you are\. .*MARSAD_TOKEN.*--user NAME.*\n$/],
    [["status", "--user", "bob"], { MARSAD_PASSWORD: "not bob's password" }, 1, /no user with this password/],
    [replay, { MARSAD_PASSWORD: bobs }, 1, /"bob" has the role viewer.*operator or admin/],
    [["status", "--user", "bob"], {}, 2, /MARSAD_PASSWORD_FILE/],
    [
      ["user", "add", "eve", "--role", "viewer", "--password-file", file, "--generate"],
      {},
      2,
      /cannot be used with/,
    ],
    [["user", "add", "Eve", "--role", "viewer"], {}, 2, /lower-case letters/],
    [["user", "add", "eve", "--role", "viewer"], {}, 2, /there is no password/],
    [["token", "add", "t", "--role", "viewer", "--expires", "soon"], {}, 2, /90d, 12h/],
    [["token", "add", "t", "--role", "viewer", "--expires", "999999999d"], {}, 2, /at most 36500d/],
    [["query", "SHOW DATABASES"], {}, 1, /The platform asks who you are/],
    [["query", "SHOW DATABASES", "--user", "bob"], { MARSAD_PASSWORD: "not bob's" }, 1, /no user with this/],
    [elsewhere, { MARSAD_TOKEN: token }, 2, /in the clear: write https/],
  ];
  await Promise.all(
    cases.map(async ([args, env, code, said]) => {
      const http = { MARSAD_HTTP: platform.ready.http };
      const ended = await runMarsad(args, { ...http, ...env });
      expect({ args, code: ended.code, stderr: ended.stderr }).toEqual({
        args,
        code,
        stderr: expect.stringMatching(said),
      });
    }),
  );

  const tokens = await marsad(["token", "list"]);
  expect(tokens.stdout).toMatch(/^scripts +viewer +marsad_[0-9a-f]{8}_ .*Z +20.*Z\n/m);
  expect(tokens.stdout).not.toContain(token);
  await marsad(["token", "remove", "scripts"]);
  expect(await status({ authorization: `Bearer ${token}` })).toBe(401);
});

test("a storm of wrong passwords does not hold up a right token, and is counted", async () => {
  const right = { authorization: `Bearer ${await giveToken("wall")}` };
  const answers = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let round = 0; round < 60; round++) {
      times.push(await duration(async () => expect(await status(right)).toBe(200)));
    }
    return times.sort((a, b) => a - b);
  };
  await answers();
  const before = await answers();
  // What one wrong password costs: nobody may wait for several of those.
  const one = await duration(() => status(basic("bob", "the first wrong password")));
  const storm = Promise.all(
    Array.from({ length: 200 }, (_, index) => status(basic("bob", `wrong password ${index}`))),
  );
  const during = await answers();
  const stormed = await storm;
  expect(new Set(stormed)).toEqual(new Set([401, 429]));
  expect(stormed.filter((code) => code === 401).length).toBeLessThan(20);
  expect(median(during)).toBeLessThan(10 * median(before) + one);

  const metrics = await fetch(`${platform.ready.http}/metrics`, { headers: right });
  const counted = Number(
    /^marsad_api_refused_requests_total\{reason="too-many-attempts"\} (\d+)$/m.exec(
      await metrics.text(),
    )?.[1],
  );
  expect(counted).toBe(stormed.filter((code) => code === 429).length);
});

test("on a terminal the password is asked for twice and not shown", async () => {
  const typed = "typed horse battery";
  const child = spawn(
    "script",
    ["-qec", `${process.execPath} ${entry} user add carol --role viewer`, "/dev/null"],
    {
      env: cleanEnvironment({ MARSAD_DATA: platform.data, NO_COLOR: "1" }),
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (shown += piece));
  for (const question of ["Password: ", "Again: "]) {
    await poll(() => shown.includes(question));
    child.stdin.write(`${typed}\r`);
  }
  await poll(() => child.exitCode !== null);
  expect(shown).toContain("carol may use the platform as viewer");
  expect(shown).not.toContain("typed");
  expect(await status(basic("carol", typed))).toBe(200);
});

test("users and tokens are in the backup, and open the platform that is restored from it", async () => {
  const token = await giveToken("kept");
  const backup = join(folder.path, "backup");
  const restored = join(folder.path, "restored");
  expect(await marsad(["backup", backup])).toMatchObject({ code: 0 });
  expect(await runMarsad(["restore", backup, "--data", restored])).toMatchObject({ code: 0 });
  await using identities = await openRecordStore(join(restored, "identities"));
  expect(listUsers(identities).map(({ name }) => name)).toEqual(["bob", "carol"]);
  await platform.end("SIGTERM");
  await using other = await startPlatform({ folder: folder.path, args: ["--data", restored] });
  const ask = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`${other.ready.http}/api/v1/totals`, { headers })).status;
  expect(await ask({})).toBe(401);
  expect(await ask({ authorization: `Bearer ${token}` })).toBe(200);
  expect(await ask(basic("carol", "typed horse battery"))).toBe(200);
});
