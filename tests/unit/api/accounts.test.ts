import * as fc from "fast-check";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Accounts, openAccounts } from "#api/access/accounts.ts";
import { addToken, listTokens, removeToken } from "#api/access/tokens.ts";
import { addUser, listUsers, removeUser, setPassword, setRole } from "#api/access/users.ts";
import { openPasswordVerifier, type PasswordVerifier } from "#runtime/password-verifier.ts";
import { openRecordStore, type RecordStore } from "#runtime/record-store.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const folder = tempFolder("accounts");
const log = pino({ level: "silent" });
const password = "correct horse battery";
const here = "127.0.0.1";
let records: RecordStore;
let accounts: Accounts;
/** argon2 hashes that were asked for. */
let verified = 0;

beforeAll(async () => {
  records = await openRecordStore(folder.path);
  const verifier = openPasswordVerifier();
  const counting: PasswordVerifier = {
    recall: (attempt) => verifier.recall(attempt),
    verify: (attempt, waiting) => {
      verified++;
      return verifier.verify(attempt, waiting);
    },
  };
  accounts = openAccounts({ records, verifier: counting, log });
  await addUser(records, { name: "alice", role: "operator" }, password);
});
afterAll(async () => {
  await records[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const basic = (name: string, secret: string) => ({ kind: "basic", name, password: secret }) as const;
const bearer = (token: string) => ({ kind: "token", token }) as const;
const wrong = { reason: "wrong-credentials" };
const alice = { kind: "user", name: "alice", role: "operator" };

describe("users", () => {
  test("are known by their password and no other, as it is spelled on any keyboard; a hundred requests cost one argon2", async () => {
    verified = 0;
    const asked = await Promise.all(
      Array.from({ length: 100 }, () => accounts.identify(basic("alice", password), here)),
    );
    expect(new Set(asked.map((caller) => JSON.stringify(caller)))).toEqual(new Set([JSON.stringify(alice)]));
    expect(verified).toBe(1);
    for (const other of [basic("alice", `${password}!`), basic("alice", ""), basic("bob", password)]) {
      expect(await accounts.identify(other, here)).toEqual(wrong);
    }
    await setPassword(records, "alice", "caf\u00e9 \u0645\u0631\u0635\u062f \u2460\u2461\u2462 and more");
    expect(await accounts.identify(basic("alice", password), here)).toEqual(wrong);
    expect(
      await accounts.identify(basic("alice", "cafe\u0301 \u0645\u0631\u0635\u062f 123 and more"), here),
    ).toEqual(alice);
    await setPassword(records, "alice", password);
  });

  test("the same wrong password again costs nothing and uses up no try: a forgotten script shuts nobody out", async () => {
    verified = 0;
    for (let round = 0; round < 100; round++) {
      expect(await accounts.identify(basic("alice", "an old password"), here)).toEqual(wrong);
      expect(await accounts.identify(basic("nobody", "an old password"), here)).toEqual(wrong);
    }
    expect(verified).toBe(2);
    expect(await accounts.identify(basic("alice", password), here)).toEqual(alice);
  });

  test("different wrong passwords are slowed down, for a name that is not there as for one that is, and cost few argon2", async () => {
    for (const [name, address] of [
      ["alice", "10.0.0.1"],
      ["nobody", "10.0.0.2"],
    ] as const) {
      verified = 0;
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          accounts.identify(basic(name, `guess number ${index}`), address),
        ),
      );
      const slowed = answers.filter((answer) => "reason" in answer && answer.reason === "too-many-attempts");
      expect(slowed.length + verified).toBe(200);
      expect(verified).toBeLessThanOrEqual(12);
      expect(answers.filter((answer) => "role" in answer)).toEqual([]);
    }
    // From where alice signed in before, she still does.
    expect(await accounts.identify(basic("alice", password), here)).toEqual(alice);
  });

  test("a role holds from its change on, and a removal at once", async () => {
    await addUser(records, { name: "carol", role: "viewer" }, password);
    expect(await accounts.identify(basic("carol", password), "10.0.0.3")).toMatchObject({ role: "viewer" });
    setRole(records, "carol", "admin");
    expect(await accounts.identify(basic("carol", password), "10.0.0.3")).toMatchObject({ role: "admin" });
    expect(listUsers(records).map(({ name }) => name)).toEqual(["alice", "carol"]);
    removeUser(records, "carol");
    expect(await accounts.identify(basic("carol", password), "10.0.0.3")).toEqual(wrong);
    expect(() => removeUser(records, "carol")).toThrow(/no user carol/);
  });

  test.each([
    ["Alice", password, /cannot be a name/],
    ["a:b", password, /cannot be a name/],
    ["dave", "short", /at least 15 characters/],
    ["dave", "x".repeat(200), /at most 128/],
    ["dave", "aaaaaaaaaaaaaaaaaaaa", /not a pattern/],
    ["dave", "dave-and-a-number-1", /not the user's name/],
    ["dave", "a line\nand another", /no line breaks/],
    ["alice", password, /already/],
  ])("%s with the password %j is not taken", async (name, secret, why) => {
    await expect(addUser(records, { name, role: "viewer" }, secret)).rejects.toThrow(why);
  });

  test("only a hash of the password is stored: argon2id, 19 MiB, two passes", () => {
    const [[, stored] = []] = records.entries("users");
    expect(stored).toMatchObject({
      hash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/) as string,
    });
    expect(JSON.stringify(stored)).not.toContain(password);
  });
});

describe("tokens", () => {
  test("are known whole and by nothing else, are stored as a hash, and say when they were last used", async () => {
    const token = addToken(records, { name: "grafana", role: "viewer" });
    expect(token).toMatch(/^marsad_[0-9a-f]{8}_[\w-]{32}$/);
    expect(JSON.stringify(records.entries("tokens"))).not.toContain(token.slice(16));
    expect(listTokens(records)).toMatchObject([
      { name: "grafana", begins: token.slice(0, 16), used: undefined },
    ]);
    const caller = { kind: "token", name: "grafana", role: "viewer" };
    expect(await accounts.identify(bearer(token), here)).toEqual(caller);
    const last = token.at(-1) === "a" ? "b" : "a";
    for (const other of [
      token.slice(0, -1),
      `${token.slice(0, -1)}${last}`,
      `${token} `,
      "marsad_",
      "",
      "\0",
    ]) {
      expect(await accounts.identify(bearer(other), here)).toEqual(wrong);
    }
    await expect.poll(() => listTokens(records)[0]?.used).toBeGreaterThan(Date.now() - 60_000);
    const { version } = records;
    for (let round = 0; round < 50; round++) await accounts.identify(bearer(token), here);
    await new Promise((resolve) => setImmediate(resolve));
    // Each use is not a write.
    expect(records.version).toBe(version);

    expect(() => addToken(records, { name: "grafana", role: "admin" })).toThrow(/already/);
    removeToken(records, "grafana");
    expect(await accounts.identify(bearer(token), here)).toEqual(wrong);
    expect(records.entries("token-uses")).toEqual([]);
  });

  test("are worth nothing when their time is over", async () => {
    const lasting = addToken(records, { name: "lasting", role: "viewer", expires: Date.now() + 60_000 });
    const over = addToken(records, { name: "over", role: "viewer", expires: Date.now() });
    expect(await accounts.identify(bearer(lasting), here)).toMatchObject({ name: "lasting" });
    expect(await accounts.identify(bearer(over), here)).toEqual({ reason: "expired" });
    removeToken(records, "lasting");
    removeToken(records, "over");
  });
});

test("whatever is shown is answered, and opens nothing", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.constantFrom("alice", "\ud800", "a".repeat(5_000)),
  );
  await fc.assert(
    fc.asyncProperty(text, text, async (name, secret) => {
      const answers = await Promise.all([
        accounts.identify(basic(name, secret), here),
        accounts.identify(bearer(secret), here),
        accounts.identify(bearer(`marsad_00000000_${secret}`), here),
      ]);
      expect(answers.filter((answer) => "role" in answer)).toEqual([]);
    }),
  );
});

test("there is nobody when the last user and the last token are gone", () => {
  expect(accounts.isEmpty()).toBe(false);
  addToken(records, { name: "last", role: "viewer" });
  removeUser(records, "alice");
  expect(accounts.isEmpty()).toBe(false);
  removeToken(records, "last");
  expect(accounts.isEmpty()).toBe(true);
});
