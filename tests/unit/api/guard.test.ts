import { TLSSocket } from "node:tls";
import type { FastifyRequest } from "fastify";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noAccounts, openAccounts } from "#api/access/accounts.ts";
import { Role } from "#api/access/roles.ts";
import { addToken } from "#api/access/tokens.ts";
import { addUser, removeUser } from "#api/access/users.ts";
import { type Api, openApi } from "#api/api.ts";
import type { Access } from "#api/context.ts";
import { createGuard } from "#api/guard.ts";
import { ProblemError } from "#api/problem.ts";
import { openPasswordVerifier } from "#runtime/password-verifier.ts";
import { openRecordStore, type RecordStore } from "#runtime/record-store.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { memoryPlatform } from "./memory-platform.ts";

const folder = tempFolder("guard");
const password = "correct horse battery";
const alice = basic("alice", password);
const metrics = new Registry();
const lines: string[] = [];
const log = pino({ level: "info" }, { write: (line: string) => lines.push(line) });
let records: RecordStore;
let api: Api;

beforeAll(async () => {
  records = await openRecordStore(folder.path);
  api = await openApi({
    listen: { host: "127.0.0.1", port: 0 },
    behindProxy: true,
    accounts: openAccounts({ records, verifier: openPasswordVerifier(), log }),
    port: memoryPlatform(),
    metrics,
    log,
    version: "1.2.3",
  });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await records[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function basic(name: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}` };
}

async function ask(headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(`${api.address}/api/v1/totals`, { headers });
  await response.clone().arrayBuffer();
  return response;
}

async function status(headers: Record<string, string> = {}): Promise<number> {
  return (await ask(headers)).status;
}

/** What a proxy says of who asks. */
function from(addresses: string): Record<string, string> {
  return { "x-forwarded-for": addresses };
}

async function replay(headers: Record<string, string>): Promise<number> {
  const init = { method: "POST", body: "{}", headers: { ...headers, "content-type": "application/json" } };
  return (await fetch(`${api.address}/api/v1/deadletters/replay`, init)).status;
}

test("behind a proxy the proxy asks, until there are users; other sites' pages are refused all the time", async () => {
  const foreign = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" };
  expect(await status()).toBe(200);
  expect(await status(foreign)).toBe(403);
  await addUser(records, { name: "alice", role: "operator" }, password);
  expect(await status()).toBe(401);
  expect(await status(alice)).toBe(200);
  expect(await status({ ...alice, ...foreign })).toBe(403);
});

test("behind a proxy wrong passwords are slowed by the address that the proxy appended, not by those that a client made up", async () => {
  // Names of its own for each, so that only the address counts.
  const guess = async (index: number, address: string): Promise<number> =>
    await status({ ...basic(`name-${index}`, "wrong horse battery"), ...from(address) });
  let index = 0;
  while ((await guess(index, `192.0.2.${index}, 10.0.0.1`)) === 401) index++;
  expect(index).toBeGreaterThanOrEqual(20);
  expect(index).toBeLessThan(30);
  const slowed = await ask({ ...basic("somebody", "wrong"), ...from("10.0.0.1") });
  expect(slowed.status).toBe(429);
  expect(Number(slowed.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await guess(index, "10.0.0.2")).toBe(401);
});

test("what an open address tells more is no action", async () => {
  lines.length = 0;
  expect((await fetch(`${api.address}/readyz`, { headers: alice })).status).toBe(200);
  expect(lines).toEqual([]);
});

test("a refusal is counted and logged with its reason, without the credentials; so is what is done beyond reading, with who did it", async () => {
  lines.length = 0;
  const token = addToken(records, { name: "grafana", role: "viewer" });
  expect(await replay({ authorization: `Bearer ${token}` })).toBe(403);
  expect(await replay(alice)).toBe(200);
  const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(said).toMatchObject([
    { reason: "role-lacks-right", caller: "grafana", route: "/api/v1/deadletters/replay" },
    { caller: "grafana", kind: "token", status: 403 },
    { caller: "alice", kind: "user", route: "/api/v1/deadletters/replay", status: 200 },
  ]);
  expect(lines.join()).not.toContain(token.slice(16));
  expect(await metrics.metrics()).toContain('marsad_api_refused_requests_total{reason="role-lacks-right"} 1');
});

test("a user's removal holds at once", async () => {
  removeUser(records, "alice");
  expect(await status(alice)).toBe(401);
});

test("a page of another origin is refused by what its browser says of it, or by where its form comes from; a followed link is not", async () => {
  const guard = createGuard({ reach: "loopback", accounts: noAccounts, metrics: new Registry(), log });
  const asked = async (method: string, said: Record<string, string>): Promise<string> => {
    const headers = { host: "localhost:8080", ...said };
    const request = { method, headers, raw: { socket: {} }, routeOptions: { config: {} } };
    return await guard(request as unknown as FastifyRequest).then(
      () => "in",
      (error: unknown) => (error instanceof ProblemError ? error.code : String(error)),
    );
  };
  for (const said of [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: "http://localhost:3000" },
    { origin: "http://evil.example" },
    { origin: "http://localhost:3000" },
    { origin: "null" },
    { host: "evil.example:8080", origin: "http://evil.example:8080", "sec-fetch-site": "same-origin" },
  ])
    expect([said, await asked("POST", said), await asked("GET", said)]).toEqual([
      said,
      "foreign-origin",
      "foreign-origin",
    ]);
  for (const said of [
    {},
    { "sec-fetch-site": "none" },
    { "sec-fetch-site": "same-origin", origin: "http://localhost:8080" },
    { origin: "http://localhost:8080" },
  ])
    expect([said, await asked("POST", said)]).toEqual([said, "in"]);
  expect(await asked("GET", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" })).toBe("in");
});

test("over TLS, without users, another machine reaches what is open and what gateways send to; this machine reaches all", async () => {
  const guard = createGuard({ reach: "network", accounts: noAccounts, metrics: new Registry(), log });
  const asked = async (access: Access | undefined, remoteAddress: string): Promise<string> => {
    const config = access === undefined ? {} : { access };
    const request = {
      method: "GET",
      headers: {},
      raw: { socket: { remoteAddress } },
      routeOptions: { config },
    };
    return await guard(request as unknown as FastifyRequest).then(
      () => "in",
      (error: unknown) => (error instanceof ProblemError ? error.code : String(error)),
    );
  };
  const all = ["open", "gateway", ...Role.options, undefined] as const;
  const from = async (address: string): Promise<string[]> =>
    await Promise.all(all.map((access) => asked(access, address)));
  expect(await from("192.0.2.7")).toEqual(["in", "in", ...Array.from({ length: 5 }, () => "no-users")]);
  expect(await from("::ffff:127.0.0.1")).toEqual(all.map(() => "in"));
});

test("a client certificate is called by its name, or by its other names where it has no subject", async () => {
  const guard = createGuard({ reach: "network", accounts: noAccounts, metrics: new Registry(), log });
  const nameOf = async (shown: object): Promise<string | undefined> => {
    const socket = Object.create(TLSSocket.prototype) as TLSSocket;
    Object.assign(socket, { authorized: true, getPeerCertificate: () => shown });
    Object.defineProperty(socket, "remoteAddress", { value: "192.0.2.7" });
    const request = { method: "GET", headers: {}, raw: { socket }, routeOptions: { config: {} } };
    await guard(request as unknown as FastifyRequest);
    return (request as unknown as FastifyRequest).caller?.name;
  };
  expect(await nameOf({ subject: { CN: "wall" }, subjectaltname: "DNS:wall-2" })).toBe("wall");
  expect(await nameOf({ subject: { CN: ["wall", "hall"] } })).toBe("wall");
  expect(await nameOf({ subject: {}, subjectaltname: "DNS:wall-2" })).toBe("DNS:wall-2");
});
