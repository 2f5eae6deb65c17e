import { InfluxDB } from "influx";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAccounts } from "#api/access/accounts.ts";
import { Role } from "#api/access/roles.ts";
import { addToken } from "#api/access/tokens.ts";
import { addUser } from "#api/access/users.ts";
import { type Api, openApi } from "#api/api.ts";
import { expectAccess } from "#api/access/route-access.ts";
import { openPasswordVerifier } from "#runtime/password-verifier.ts";
import { openRecordStore, type RecordStore } from "#runtime/record-store.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { memoryPlatform } from "./memory-platform.ts";

/** One method of one address, and what the OpenAPI document says of who may ask it. */
interface Operation {
  readonly method: string;
  readonly path: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}

/** Somebody, by the OpenAPI scheme and the role that the credentials stand for; without them: nobody. */
interface Asker {
  readonly name: string;
  readonly authorization?: string;
  readonly scheme?: string;
  readonly role?: Role;
}

type Answer = "in" | "who are you" | "not you" | `${number} ${string}`;

const log = pino({ level: "silent" });
const folder = tempFolder("access");
const password = "correct horse battery";
/** As the platform in memory has it. */
const gatewayPassword = "gw-north-password";
let records: RecordStore;
let api: Api;
let operations: Operation[];
let askers: Asker[];

const basic = (name: string, secret: string): string =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`;

beforeAll(async () => {
  records = await openRecordStore(folder.path);
  const users = Role.options.map((role) => ({ role, name: `a-${role}` }));
  await Promise.all(users.map((user) => addUser(records, user, password)));
  const tokens = Role.options.map((role) => ({
    role,
    token: addToken(records, { name: `t-${role}`, role }),
  }));
  const expired = addToken(records, { name: "over", role: "admin", expires: 1 });
  const accounts = openAccounts({ records, verifier: openPasswordVerifier(), log });
  api = await openApi({
    listen: { host: "127.0.0.1", port: 0 },
    accounts,
    port: memoryPlatform(),
    metrics: new Registry(),
    log,
    version: "1.2.3",
  });
  operations = await operationsOf(api);
  askers = [
    { name: "nobody" },
    { name: "a name that is not there", authorization: basic("stranger", password) },
    { name: "a wrong password", authorization: basic("a-admin", "wrong horse battery") },
    { name: "a gateway", authorization: basic("gw-north", gatewayPassword), scheme: "gateway" },
    { name: "a wrong token", authorization: `Bearer marsad_00000000_${"x".repeat(32)}` },
    { name: "a token whose time is over", authorization: `Bearer ${expired}` },
    { name: "another scheme", authorization: "Digest username=a-admin" },
    ...users.map(({ role, name }) => ({
      name: `user ${role}`,
      authorization: basic(name, password),
      scheme: "password",
      role,
    })),
    ...tokens.flatMap(({ role, token }) =>
      ["Bearer", "Token"].map((word) => ({
        name: `${word} ${role}`,
        authorization: `${word} ${token}`,
        scheme: "token",
        role,
      })),
    ),
  ];
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await records[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** All that a platform answers, from its own document; each GET has a HEAD beside it. */
async function operationsOf({ address }: Api): Promise<Operation[]> {
  const document = (await (await fetch(`${address}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { security: Operation["security"] }>>;
  };
  return Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).flatMap(([method, { security }]) => {
      const path = template.replaceAll(/\{\w+\}/g, "x");
      return (method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()]).map((name) => ({
        method: name,
        path,
        security,
      }));
    }),
  );
}

/** What the document promises an asker. */
function promised({ security }: Operation, { scheme, role }: Asker): Answer {
  if (security.length === 0) return "in";
  if (scheme === undefined) return "who are you";
  const mine = security.find((alternative) => scheme in alternative);
  if (mine === undefined) return "who are you";
  return role === undefined || mine[scheme]!.includes(role) ? "in" : "not you";
}

async function answered(address: string, { method, path }: Operation, asker: Asker): Promise<Answer> {
  const { authorization } = asker;
  const response = await fetch(`${address}${path}`, {
    method,
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(method === "POST" && { "content-type": "application/json" }),
    },
    ...(method === "POST" && { body: "{}" }),
  });
  await response.arrayBuffer();
  const { status, headers } = response;
  const says = status === 401 ? `${headers.get("www-authenticate")}` : "";
  return status === 401 && says === 'Basic realm="marsad"'
    ? "who are you"
    : status === 403
      ? "not you"
      : status < 500 && status !== 429 && status !== 401
        ? "in"
        : `${status} ${says}`;
}

test("every address answers everybody as the OpenAPI document says: nobody, strangers, gateways, and each role", async () => {
  expect(operations.length).toBeGreaterThan(20);
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const operation of operations) {
    for (const asker of askers) {
      const [wanted, got] = [promised(operation, asker), await answered(api.address, operation, asker)];
      seen.add(`${asker.name}: ${got}`);
      if (wanted !== got)
        wrong.push(`${operation.method} ${operation.path} to ${asker.name}: ${got}, not ${wanted}`);
    }
  }
  expect(wrong).toEqual([]);
  // The table is not empty in any corner.
  expect([...seen]).toEqual(
    expect.arrayContaining([
      "nobody: who are you",
      "nobody: in",
      "user viewer: not you",
      "Token viewer: in",
      "user operator: in",
      "Bearer admin: in",
    ]),
  );
});

test("what is no address needs somebody who may view, too", async () => {
  for (const path of ["/api/v1/nothing", "/api/v2/buckets", "//", "/metrics/../metricz"]) {
    for (const method of ["GET", "POST", "DELETE"]) {
      const status = async (headers: Record<string, string>): Promise<number> =>
        (await fetch(`${api.address}${path}`, { method, headers })).status;
      expect(await status({})).toBe(401);
      expect(await status({ authorization: basic("a-viewer", password) })).toBe(404);
    }
  }
});

test("InfluxDB's addresses take a user in the URL, no others do; refusals there are in InfluxDB's form", async () => {
  const as = `u=a-viewer&p=${encodeURIComponent(password)}`;
  const status = async (path: string): Promise<number> => (await fetch(`${api.address}${path}`)).status;
  expect(await status(`/query?q=SHOW%20DATABASES&${as}`)).toBe(200);
  expect(await status(`/query?q=SHOW%20DATABASES&${as}x`)).toBe(401);
  expect(await status(`/api/v1/totals?${as}`)).toBe(401);
  const refused = await fetch(`${api.address}/query?q=SHOW%20DATABASES`);
  expect(await refused.json()).toEqual({ error: expect.stringMatching(/^authorization failed/) });
});

test("InfluxDB's client of 1.x signs in as a user, and says so when it may not", async () => {
  const { hostname: host, port } = new URL(api.address);
  const client = (secret: string): InfluxDB =>
    new InfluxDB({ host, port: Number(port), username: "a-viewer", password: secret, database: "marsad" });
  expect([...(await client(password).query("SHOW MEASUREMENTS"))]).toEqual([]);
  await expect(client("wrong horse battery").query("SHOW MEASUREMENTS")).rejects.toThrow(
    /authorization failed/,
  );
});

test("only what supervisors need and what the source says anyway is open", () => {
  const open = operations.filter(({ security, method }) => method === "GET" && security.length === 0);
  const city = open.filter(({ path }) => path.startsWith("/api/") || path === "/metrics");
  expect(city).toEqual([]);
});

describe("the probe", () => {
  test("tells nobody but those who may view what ails a part", async () => {
    const platform = memoryPlatform();
    platform.parts[2] = { name: "store", ok: false, why: "http://10.0.0.9:8086 does not answer" };
    const accounts = openAccounts({ records, verifier: openPasswordVerifier(), log });
    await using ailing = await openApi({
      listen: { host: "127.0.0.1", port: 0 },
      accounts,
      port: platform,
      metrics: new Registry(),
      log,
      version: "1.2.3",
    });
    const told = async (headers: Record<string, string>): Promise<string> => {
      const response = await fetch(`${ailing.address}/readyz`, { headers });
      expect(response.status).toBe(503);
      return await response.text();
    };
    const viewer = { authorization: basic("a-viewer", password) };
    expect(await told(viewer)).toContain("10.0.0.9");
    expect(await told({})).toContain('"name":"store","ok":false');
    expect(await told({})).not.toContain("10.0.0.9");
    expect(await told({ authorization: basic("a-viewer", "wrong horse battery") })).not.toContain("10.0.0.9");
  });
});

describe("without users and tokens", () => {
  test("on this machine everything is open but what gateways send, whatever credentials are shown", async () => {
    await using open = await openApi({
      listen: { host: "127.0.0.1", port: 0 },
      port: memoryPlatform(),
      metrics: new Registry(),
      log,
      version: "1.2.3",
    });
    for (const operation of operations) {
      if (operation.security.some((alternative) => "gateway" in alternative)) continue;
      for (const asker of [{ name: "nobody" }, { name: "anybody", authorization: basic("any", "body") }]) {
        expect(await answered(open.address, operation, asker)).toBe("in");
      }
    }
  });
});

test("a route that does not say its access, or hides from the document, is not registered", () => {
  const route = { method: "GET", url: "/x", handler: () => undefined } as const;
  expect(() => expectAccess({ ...route })).toThrow("GET /x does not say its access");
  expect(() => expectAccess({ ...route, config: {} })).toThrow("GET /x does not say its access");
  const hidden = { ...route, config: { access: "viewer" as const }, schema: { hide: true } };
  expect(() => expectAccess(hidden)).toThrow("GET /x is hidden");
});
