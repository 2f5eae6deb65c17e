import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { type InfluxStoreOptions, openInfluxStore } from "#store/influxdb/index.ts";
import { rollups } from "#store/query.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { TestJournal } from "./journal.ts";

/*
 * InfluxDB 2 and 3 are no Debian packages: what is held here is the shape of our requests, as their documentation has it, against a server
 * that records them. Whether real ones are content, nobody has tried.
 */

interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}
type Respond = (request: Recorded) => {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};

async function startRecorder(
  respond: Respond,
): Promise<AsyncDisposable & { readonly url: string; readonly requests: Recorded[] }> {
  const requests: Recorded[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await read(request);
    const { method = "", url = "", headers } = request;
    const recorded = { method, path: url, authorization: headers.authorization, body };
    if (url !== "/ping") requests.push(recorded);
    const said = respond(recorded);
    response.writeHead(said.status, { "content-type": "application/json", ...said.headers });
    response.end(said.body === undefined ? undefined : JSON.stringify(said.body));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function read(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
  return body;
}

const noon = Date.UTC(2026, 0, 31, 12);
const reading = (vehicles: number, at = 0) =>
  ({ measurement: "traffic_flow", sensor: "tf-1", time: noon + at, fields: { vehicles } }) as const;

/** Writes one reading. @returns what was asked, but for pings. */
async function writeOne(respond: Respond, options: Partial<InfluxStoreOptions>): Promise<Recorded[]> {
  await using server = await startRecorder(respond);
  using state = tempFolder("store");
  await using store = await openInfluxStore({
    path: state.path,
    url: server.url,
    database: "city",
    user: "marsad",
    password: "token",
    log: pino({ level: "silent" }),
    ...options,
  });
  const journal = new TestJournal();
  expect(await store.write(journal.batchOf([reading(31)]))).toMatchObject({ position: 1, refused: [] });
  await poll(() => store.trouble() === undefined); // it has been asked how things are since
  return server.requests;
}

const basic = `Basic ${btoa("marsad:token")}`;
const written = (path: string): Recorded => ({
  method: "POST",
  path,
  authorization: basic,
  body: `traffic_flow,agency=test,sensor=tf-1 vehicles=31 ${noon}\n`,
});
const version = (text: string): { status: number; headers: Record<string, string> } => ({
  status: 204,
  headers: { "x-influxdb-version": text, "x-influxdb-build": "OSS" },
});
const pathOf = (request: Recorded): string => request.path.split("?")[0]!;

/** One whose token sees these buckets and organizations, and may do all. */
function buckets(known: readonly unknown[]): Respond {
  return (request) => {
    if (pathOf(request) === "/ping") return version("v2.7.11");
    if (pathOf(request) === "/write") return { status: 204 };
    if (pathOf(request) === "/api/v2/orgs") return { status: 200, body: { orgs: [{ id: "org-1" }] } };
    if (request.method === "GET") return { status: 200, body: { buckets: known } };
    return { status: request.method === "POST" ? 201 : 200, body: {} };
  };
}

function core(request: Recorded): ReturnType<Respond> {
  if (pathOf(request) === "/ping") return { status: 200, body: { version: "3.2.1", revision: "x" } };
  return pathOf(request) === "/write" ? { status: 204 } : { status: 200, body: {} };
}

function many(from: number): ReturnType<typeof reading>[] {
  return Array.from({ length: 9_000 }, (_, i) => reading(from + i, from + i));
}

describe("InfluxDB 2 (a recorder, no real server)", () => {
  test("a bucket that is missing is made, for ever unless asked otherwise, with the token", async () => {
    const forEver = await writeOne(buckets([]), {});
    expect(forEver.slice(0, 3)).toEqual([
      { method: "GET", path: "/api/v2/buckets?name=city", authorization: "Token token", body: "" },
      { method: "GET", path: "/api/v2/orgs", authorization: "Token token", body: "" },
      {
        method: "POST",
        path: "/api/v2/buckets",
        authorization: "Token token",
        body: JSON.stringify({ orgID: "org-1", name: "city", retentionRules: [] }),
      },
    ]);
    expect(forEver.slice(3, -1).filter(({ method }) => method === "POST")).toMatchObject(
      rollups.map((name) => ({
        body: JSON.stringify({ orgID: "org-1", name: `city/${name}`, retentionRules: [] }),
      })),
    );
    expect(forEver.at(-1)).toEqual(written("/write?db=city&precision=ms"));

    const bounded = await writeOne(buckets([]), { policy: "raw", retentionDays: 30 });
    expect(JSON.parse(bounded[2]!.body)).toEqual({
      orgID: "org-1",
      name: "city/raw",
      retentionRules: [{ type: "expire", everySeconds: 2_592_000 }],
    });
    expect(bounded.at(-1)).toEqual(written("/write?db=city&precision=ms&rp=raw"));
  });

  test("a bucket that is there is left alone, or has its retention changed when one is asked for", async () => {
    const known = { id: "b-1", name: "city", retentionRules: [{ type: "expire", everySeconds: 86_400 }] };
    const all = [known, ...rollups.map((name) => ({ id: name, name: `city/${name}` }))];
    const left = await writeOne(buckets(all), {});
    expect(left.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`)).toEqual([
      "GET /api/v2/buckets?name=city",
      ...rollups.map((name) => `GET /api/v2/buckets?name=city/${name}`),
      "POST /write?db=city&precision=ms",
    ]);
    const changed = await writeOne(buckets(all), { retentionDays: 30 });
    expect(changed[1]).toMatchObject({
      method: "PATCH",
      path: "/api/v2/buckets/b-1",
      body: JSON.stringify({ retentionRules: [{ type: "expire", everySeconds: 2_592_000 }] }),
    });
  });

  test("a token that may not is no obstacle while the bucket is there; when it is not, the command to run is said", async () => {
    let exists = true;
    const respond: Respond = (request) => {
      if (pathOf(request) === "/ping") return version("v2.7.11");
      if (pathOf(request) !== "/write") return { status: 401, body: { message: "unauthorized access" } };
      return exists ? { status: 204 } : { status: 404, body: { error: 'bucket "city" not found' } };
    };
    const logged: string[] = [];
    const log = pino({ level: "warn" }, { write: (line) => void logged.push(line) });
    expect((await writeOne(respond, { log })).at(-1)).toEqual(written("/write?db=city&precision=ms"));
    expect(logged.join("")).toContain("influx bucket create --name 'city'");
    exists = false;
    await expect(writeOne(respond, {})).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringMatching(/404.*influx bucket create --name 'city' \(unauthorized access\)/),
    });
  });
});

test.each([
  ["2", buckets(rollups.map((name) => ({ id: name, name: `city/${name}` })))],
  ["3", core],
])(
  "InfluxDB %s (a recorder, no real server): a roll-up goes to its policy, results with the readings",
  async (_, respond) => {
    await using server = await startRecorder(respond);
    using state = tempFolder("store");
    const options = { path: state.path, url: server.url, database: "city", log: pino({ level: "silent" }) };
    await using store = await openInfluxStore(options);
    await store.write(new TestJournal().batchOf([reading(31)]));
    const result = {
      measurement: "traffic_flow",
      fields: [{ name: "vehicles_count", type: "integer", values: Float64Array.of(2) }],
      time: Float64Array.of(noon),
      series: Uint32Array.of(0),
    } as const;
    await store.writeResults([
      { ...result, policy: "rollup_1h" },
      { ...result, policy: "autogen", measurement: "platform_rate", tagSets: [{ what: "stored" }] },
    ]);
    const written = server.requests.filter((request) => pathOf(request) === "/write").slice(1);
    expect(written.map(({ path, body }) => [path, body])).toEqual([
      [
        "/write?db=city&precision=ms&rp=rollup_1h",
        `traffic_flow,agency=test,sensor=tf-1 vehicles_count=2i ${noon}\n`,
      ],
      ["/write?db=city&precision=ms", `platform_rate,what=stored vehicles_count=2i ${noon}\n`],
    ]);
  },
);

describe("InfluxDB 3 (a recorder, no real server)", () => {
  test("makes its database with the first write; a retention is said before, with the token as bearer", async () => {
    expect(await writeOne(core, {})).toEqual([written("/write?db=city&precision=ms")]);
    expect(await writeOne(core, { retentionDays: 30 })).toEqual([
      {
        method: "POST",
        path: "/api/v3/configure/database",
        authorization: "Bearer token",
        body: JSON.stringify({ db: "city", retention_period: "720h" }),
      },
      written("/write?db=city&precision=ms"),
    ]);
  });

  test.each([
    ["refuses the whole batch, with 400", 400, false],
    ["keeps the good lines, with 201", 201, true],
  ])(
    "one that %s: the bad lines are refused alone, the others are in a request that was taken whole",
    async (_, status, keeps) => {
      const kept = new Set<string>();
      let wholeRequests = 0;
      const respond: Respond = (request) => {
        if (pathOf(request) !== "/write") return core(request);
        const lines = request.body.trimEnd().split("\n");
        const bad = lines.flatMap((line, i) => (/ vehicles=\d*7 /.test(line) ? [i] : []));
        if (keeps || bad.length === 0)
          for (const [i, line] of lines.entries()) if (!bad.includes(i)) kept.add(line);
        if (bad.length === 0) {
          wholeRequests = lines.length;
          return { status: 204 };
        }
        const data = bad.slice(0, 100).map((i) => ({
          original_line: lines[i],
          line_number: i + 1,
          error_message: "invalid column type",
        }));
        return { status, body: { error: "partial write of line protocol occurred", data } };
      };
      await using server = await startRecorder(respond);
      using state = tempFolder("store");
      await using store = await openInfluxStore({
        path: state.path,
        url: server.url,
        database: "city",
        log: pino({ level: "silent" }),
      });
      const journal = new TestJournal();
      const outcome = await store.write(
        journal.batchOf(Array.from({ length: 3_000 }, (_, i) => reading(i, i))),
      );
      expect(outcome.tallies).toMatchObject([{ stored: 2_700 }]);
      expect(outcome.refused).toMatchObject([{ readings: 300 }]);
      expect(outcome.refused[0]!.detail).toContain("invalid column type");
      expect(kept.size).toBe(2_700);
      expect(wholeRequests).toBe(2_700);
      expect(server.requests.length).toBeLessThan(20);
    },
  );
});

describe("any generation (a recorder)", () => {
  test("requests that it finds too large are made smaller, and stay so", async () => {
    const limit = 100_000;
    let tooLarge = 0;
    const respond: Respond = (request) => {
      if (pathOf(request) === "/ping") return version("3.0.0");
      if (request.body.length <= limit) return { status: 204 };
      tooLarge += 1;
      return { status: 413, body: { error: "request too large" } };
    };
    await using server = await startRecorder(respond);
    using state = tempFolder("store");
    await using store = await openInfluxStore({
      path: state.path,
      url: server.url,
      database: "city",
      log: pino({ level: "silent" }),
    });
    const journal = new TestJournal();
    for (const round of [0, 1]) {
      const outcome = await store.write(journal.batchOf(many(round * 9_000)));
      expect(outcome).toMatchObject({ refused: [], tallies: [{ stored: 9_000 }] });
    }
    expect(tooLarge).toBeLessThan(6);
    const lines = server.requests
      .filter(({ body }) => body.length <= limit)
      .flatMap(({ body }) => body.trimEnd().split("\n"));
    expect(new Set(lines).size).toBe(18_000);
  });

  test.each([429, 500, 503])("%i is trouble, not a refusal, and passes", async (status) => {
    let answers = false;
    const respond: Respond = (request) => {
      if (pathOf(request) === "/ping") return version("v2.7.1");
      if (pathOf(request) !== "/write" || answers) return { status: 204 };
      return { status, body: { error: "not now" } };
    };
    await using server = await startRecorder(respond);
    using state = tempFolder("store");
    await using store = await openInfluxStore({
      path: state.path,
      url: server.url,
      database: "city",
      log: pino({ level: "silent" }),
    });
    const journal = new TestJournal();
    journal.append([reading(1)]);
    await expect(store.write(journal.batch(0))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("not now"),
    });
    await poll(() => store.trouble()?.includes("not now"));
    answers = true;
    expect(await store.write(journal.batch(0))).toMatchObject({ position: 1 });
    await poll(() => store.trouble() === undefined);
  });
});
