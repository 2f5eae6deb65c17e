import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import pino from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openApi, type Api } from "#api/api.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { QueryRequest } from "#store/query.ts";
import { memoryPlatform, piecesOf } from "../memory-platform.ts";
import { poll } from "../../../support/poll.ts";

const platform = memoryPlatform();
const { answer } = platform;
const metrics = new Registry();
let api: Api;

beforeAll(async () => {
  const listen = { host: "127.0.0.1", port: 0 };
  api = await openApi({ listen, port: platform, metrics, log: pino({ level: "silent" }), version: "1.2.3" });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  platform.queries.length = 0;
  platform.written.length = 0;
  platform.aside = [];
  platform.answer = answer;
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const gateway = { authorization: `Basic ${base64("gw-north:gw-north-password")}` };
const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(`${api.address}${path}`, init);
const write = (
  query: string,
  body: NonNullable<RequestInit["body"]>,
  headers: Record<string, string> = gateway,
): Promise<Response> => ask(`/write?db=marsad${query}`, { method: "POST", body, headers });

const asked = async (path: string, init?: RequestInit): Promise<Partial<QueryRequest>> => {
  const response = await ask(path, init);
  expect([response.status, await response.text()]).toEqual([200, '{"results":[]}\n']);
  const { signal: _, ...request } = platform.queries.at(-1)!;
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
};
const form = (parameters: Record<string, string>): FormData => {
  const data = new FormData();
  for (const [name, value] of Object.entries(parameters)) data.set(name, value);
  return data;
};

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{"results":[');
  await sleep(10);
  throw new MarsadError("STORE_UNAVAILABLE", "gone");
}

describe("/query", () => {
  const plain = { format: "json", pretty: false } as const;

  test("takes its parameters from the URL, and from a form of either kind, which counts first", async () => {
    const parameters = { q: "SELECT 1", db: "marsad", rp: "rollup_1h", epoch: "ms", params: '{"a":1}' };
    const request = { ...plain, ...parameters, params: { a: 1 } };
    const url = `/query?${new URLSearchParams(parameters).toString()}`;
    expect(await asked(url)).toEqual(request);
    expect(await asked(url, { method: "POST" })).toEqual(request);
    expect(await asked(url, { method: "POST", body: "text" })).toEqual(request);
    expect(await asked("/query", { method: "POST", body: new URLSearchParams(parameters) })).toEqual(request);
    expect(await asked("/query", { method: "POST", body: form(parameters) })).toEqual(request);
    const both = { method: "POST", body: new URLSearchParams({ q: "SELECT 2" }) };
    expect(await asked(`${url}&pretty=true`, both)).toEqual({ ...request, q: "SELECT 2", pretty: true });
    const file = form({});
    file.set("q", new Blob(["SELECT 3"]), "queries.txt");
    expect(await asked(url, { method: "POST", body: file })).toEqual({ ...request, q: "SELECT 3" });
    const longUrl = `SELECT ${"1,".repeat(25_000)}1`;
    expect(await asked(`/query?q=${encodeURIComponent(longUrl).replaceAll("%2C", ",")}`)).toMatchObject({
      q: longUrl,
    });
    const long = `SELECT ${"1,".repeat(128 * 1024)}1`;
    expect(await asked(url, { method: "POST", body: new URLSearchParams({ q: long }) })).toMatchObject({
      q: long,
    });
  });

  test("epoch, chunks and CSV are spelled as for InfluxDB", async () => {
    const epochs = {
      ns: "ns",
      n: "ns",
      u: "u",
      µ: "u",
      ms: "ms",
      s: "s",
      m: "m",
      h: "h",
      else: "ns",
      constructor: "ns",
    };
    for (const [text, epoch] of Object.entries(epochs))
      expect(await asked(`/query?q=x&epoch=${text}`)).toEqual({ ...plain, q: "x", epoch });
    expect(await asked("/query?q=x&chunked=true")).toEqual({ ...plain, q: "x", chunk: 10_000 });
    expect(await asked("/query?q=x&chunked=true&chunk_size=7")).toEqual({ ...plain, q: "x", chunk: 7 });
    expect(await asked("/query?q=x&chunk_size=7")).toEqual({ ...plain, q: "x" });
    for (const accept of ["application/csv", "text/csv"])
      expect(await asked("/query?q=x", { headers: { accept } })).toEqual({ ...plain, q: "x", format: "csv" });
    expect(await asked("/query?q=x", { headers: { accept: "text/csv, */*" } })).toEqual({ ...plain, q: "x" });
  });

  test("passes on status, type and bytes, and says who answers", async () => {
    platform.answer = () => ({ status: 400, contentType: "text/csv", body: piecesOf("a,", "b\n") });
    const response = await ask("/query?q=x", { headers: { "x-request-id": "mine-1" } });
    expect([response.status, await response.text()]).toEqual([400, "a,b\n"]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/csv",
      "x-influxdb-build": "Marsad",
      "x-influxdb-version": "1.8.0+marsad.1.2.3",
      "request-id": "mine-1",
      "x-request-id": "mine-1",
      "x-content-type-options": "nosniff",
    });
  });

  test.each<[string, string, RequestInit | undefined, number, string]>([
    ["no text", "/query", undefined, 400, 'missing required parameter "q"'],
    ["params that are no JSON", "/query?q=x&params=foo", undefined, 400, "error parsing query parameters"],
    ["params that are a list", "/query?q=x&params=[1]", undefined, 400, "a JSON object is wanted"],
    ["a parameter twice", "/query?q=x&q=y", undefined, 400, "expected string"],
    [
      "a form that is none",
      "/query",
      { method: "POST", body: "x", headers: { "content-type": "multipart/form-data; boundary=y" } },
      400,
      "multipart form cannot be read",
    ],
    ["too much", "/query", { method: "POST", body: "q=".padEnd(2 << 20) }, 413, "too large"],
    ["another site", "/query?q=x", { headers: { "sec-fetch-site": "cross-site" } }, 403, "another site"],
  ])("%s is refused in InfluxDB's form", async (_, path, init, status, words) => {
    const response = await ask(path, init);
    const { error } = (await response.json()) as { error: string };
    expect([response.status, error, response.headers.get("x-influxdb-error")]).toEqual([
      status,
      expect.stringContaining(words),
      error,
    ]);
    expect(response.headers.get("x-influxdb-version")).not.toBeNull();
    expect(platform.queries).toEqual([]);
  });

  test("a store that is away, or has too many queries, is a 503 to try again", async () => {
    for (const code of ["STORE_UNAVAILABLE", "REFUSED"] as const) {
      platform.answer = () => Promise.reject(new MarsadError(code, "مرصد: not now"));
      const response = await ask("/query?q=x");
      expect([response.status, await response.json()]).toEqual([503, { error: "مرصد: not now" }]);
      expect(response.headers.get("retry-after")).toBe("5");
    }
  });

  test("an answer that nobody reads is not made, and one whose reader goes is ended", async () => {
    let made = 0;
    let isLeft = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (; made < 10_000; made += 1) yield Buffer.alloc(64 * 1024, "x");
      } finally {
        isLeft = true;
      }
    }
    platform.answer = () => ({ status: 200, contentType: "application/json", body: endless() });
    const { hostname, port } = new URL(api.address);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    socket.pause();
    socket.write("GET /query?q=x HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let before = -1;
    await poll(async () => {
      const stands = made > 0 && made === before;
      before = made;
      await sleep(50);
      return stands;
    });
    expect(made).toBeLessThan(500);
    expect(platform.queries.at(-1)?.signal.aborted).toBe(false);
    socket.destroy();
    await poll(() => isLeft && platform.queries.at(-1)?.signal.aborted);
  });

  test("an answer that goes wrong in the middle is cut off", async () => {
    platform.answer = () => ({ status: 200, contentType: "application/json", body: broken() });
    const response = await ask("/query?q=x");
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow(/terminated|aborted/);
  });
});

const heldBytes = async (): Promise<number> =>
  Number(/marsad_api_queue_bytes\{queue="writes"\} (\d+)/.exec(await metrics.metrics())?.[1]);

describe("/write", () => {
  const line = "traffic_flow,sensor=tf-001 vehicles=3";

  test.each<[string, string, Record<string, string>]>([
    ["Basic", "", gateway],
    ["u and p", "&u=gw-north&p=gw-north-password", {}],
    ["u and p before the header", "&u=gw-north&p=gw-north-password", { authorization: "Basic eDp5" }],
  ])("the credentials name the gateway: %s", async (_, query, headers) => {
    const response = await write(query, `${line} 1500000`, headers);
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(platform.written).toEqual([{ gateway: "gw-north", lines: `${line} 2\n` }]);
  });

  test("a token of the form NAME:PASSWORD does as well, at the address of either generation", async () => {
    const paths = [
      "/write?precision=s",
      "/api/v2/write?bucket=any&org=any&precision=s",
      "/api/v2/write?bucket=any/autogen&precision=s",
    ];
    for (const path of paths)
      for (const scheme of ["Token", "Bearer"]) {
        const headers = { authorization: `${scheme} gw-north:gw-north-password` };
        const { status } = await ask(path, { method: "POST", body: `${line} 1`, headers });
        expect([path, status]).toEqual([path, 204]);
        expect(platform.written.pop()).toEqual({ gateway: "gw-north", lines: `${line} 1000\n` });
      }
  });

  test("any type of body is lines, packed or not, and none at all is fine", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json",
      "multipart/form-data",
    ])
      expect((await write("", `${line} 1000000`, { ...gateway, "content-type": type })).status).toBe(204);
    const packed = { ...gateway, "content-encoding": "gzip" };
    expect((await write("", gzipSync(`${line} 1000000`), packed)).status).toBe(204);
    expect(platform.written.map(({ lines }) => lines)).toEqual(
      Array.from({ length: 5 }, () => `${line} 1\n`),
    );
    expect((await write("", "")).status).toBe(204);
    expect((await write("", "", packed)).status).toBe(204);
  });

  test("what is refused is told in words that InfluxDB's clients know, what waits in a header", async () => {
    const waiting = { reason: "unknown-sensor", detail: "nobody registered it", readings: 4 } as const;
    platform.aside = [waiting];
    const fine = await write("", line);
    expect([fine.status, fine.headers.get("marsad-waiting")]).toEqual([204, "4"]);
    platform.aside = [
      waiting,
      { reason: "unknown-field", detail: 'no field "مرصد"', readings: 2 },
      { reason: "future", detail: "9 min ahead", readings: 1 },
    ];
    const words = 'partial write: unknown-field: no field "مرصد" (2); future: 9 min ahead (1) dropped=3';
    const partial = await write("", line);
    expect([partial.status, await partial.json()]).toEqual([400, { error: words }]);
    const headers = { authorization: "Token gw-north:gw-north-password" };
    const v2 = await ask("/api/v2/write", { method: "POST", body: line, headers });
    expect([v2.status, await v2.json()]).toEqual([400, { code: "invalid", message: words }]);
  });

  const huge = gzipSync("x".repeat(25_000_001));
  test.each<[string, string, NonNullable<RequestInit["body"]>, Record<string, string>, number, string]>([
    ["nobody", "", line, {}, 401, "give a gateway's name"],
    ["a user's token", "", line, { authorization: "Token abc" }, 401, "NAME:PASSWORD"],
    ["a wrong password", "&u=gw-north&p=x", line, {}, 401, "no gateway has"],
    ["a roll-up's policy", "&rp=rollup_1h", line, gateway, 400, "retention policy not found: rollup_1h"],
    ["an odd precision", "&precision=year", line, gateway, 400, "invalid precision"],
    ["bad gzip", "", "foo", { ...gateway, "content-encoding": "gzip" }, 400, "not gzip"],
    ["another packing", "", "foo", { ...gateway, "content-encoding": "br" }, 400, "br is not spoken"],
    ["a large body", "", "x".repeat(25_000_001), gateway, 413, "25000000 bytes"],
    ["a large body, packed", "", huge, { ...gateway, "content-encoding": "gzip" }, 413, "25000000 bytes"],
  ])("%s is refused, and nothing taken", async (_, query, body, headers, status, words) => {
    const response = await write(query, body, headers);
    const { error } = (await response.json()) as { error: string };
    expect([response.status, error]).toEqual([status, expect.stringContaining(words)]);
    expect(response.headers.get("www-authenticate")).toBe(status === 401 ? 'Basic realm="marsad"' : null);
    expect(platform.written).toEqual([]);
  });

  test("more than is held at the same time is sent away to come again, and what is cut off is let go", async () => {
    const { hostname, port } = new URL(api.address);
    const head = `POST /write HTTP/1.1\r\nhost: localhost\r\nauthorization: ${gateway.authorization}\r\ncontent-length: 24000000\r\n\r\n`;
    const sockets = [1, 2].map(() => connect(Number(port), hostname));
    for (const socket of sockets) socket.write(`${head}${line}`);
    await poll(async () => (await heldBytes()) === 48_000_000);
    const third = await write("", "x".repeat(24_000_000));
    expect([third.status, third.headers.get("retry-after")]).toEqual([503, "1"]);
    for (const socket of sockets) socket.destroy();
    await poll(async () => (await heldBytes()) === 0);
    expect(platform.written).toEqual([]);
    expect((await write("", line)).status).toBe(204);
  });
});

test("a write whose client leaves while the platform holds is let go", async () => {
  const take = platform.write.bind(platform);
  let held: AbortSignal | undefined;
  platform.write = async (_gateway, _pieces, signal) => {
    held = signal;
    await once(signal, "abort");
    throw signal.reason;
  };
  const leaving = new AbortController();
  const sent = ask("/write", { method: "POST", body: "x", headers: gateway, signal: leaving.signal });
  await poll(() => held !== undefined);
  expect([held?.aborted, await heldBytes()]).toEqual([false, 1]);
  leaving.abort();
  await expect(sent).rejects.toThrow(/aborted/);
  await poll(async () => (await heldBytes()) === 0);
  platform.write = take;
});

describe("what clients ask first", () => {
  test("/ping, by GET and HEAD, and in more words", async () => {
    for (const method of ["GET", "HEAD"]) {
      const response = await ask("/ping", { method });
      expect([response.status, response.headers.get("x-influxdb-version")]).toEqual([
        204,
        "1.8.0+marsad.1.2.3",
      ]);
    }
    const verbose = await ask("/ping?verbose=true");
    expect([verbose.status, await verbose.json()]).toEqual([200, { version: "1.8.0+marsad.1.2.3" }]);
  });

  test("/health tells the parts that ail", async () => {
    const well = await ask("/health");
    expect([well.status, await well.json()]).toMatchObject([200, { status: "pass", checks: [] }]);
    const { parts } = platform;
    platform.parts = [{ name: "store", ok: false, why: "the disk is full" }];
    const ill = await ask("/health");
    platform.parts = parts;
    const checks = [{ name: "store", status: "fail", message: "the disk is full" }];
    expect([ill.status, await ill.json()]).toMatchObject([503, { status: "fail", checks }]);
  });

  test("Flux is told where InfluxQL is", async () => {
    const headers = { "content-type": "application/json" };
    const response = await ask("/api/v2/query?org=o", { method: "POST", body: '{"query":"x"}', headers });
    expect([response.status, await response.json()]).toEqual([
      400,
      { code: "invalid", message: expect.stringMatching(/Flux is not spoken.*InfluxQL at \/query/) },
    ]);
  });
});
