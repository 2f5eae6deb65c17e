import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { parse } from "csv-parse/sync";
import pino from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openApi, type Api } from "#api/api.ts";
import { Problem } from "#api/problem.ts";
import { Readings, type SeriesPage } from "#api/schemas.ts";
import { hasCode, MarsadError } from "#runtime/errors.ts";
import { account, letter, memoryPlatform, type MemoryPlatform } from "./memory-platform.ts";

const noon = Date.UTC(2026, 0, 1, 12);
const log = pino({ level: "silent" });
const listen = { host: "127.0.0.1", port: 0 };

let platform: MemoryPlatform;
let api: Api;

beforeEach(async () => {
  platform = memoryPlatform();
  api = await openApi({ listen, port: platform, metrics: new Registry(), log, version: "1.2.3" });
});
afterEach(() => api[Symbol.asyncDispose]());

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${api.address}${path}`, { headers });

async function problemAt(path: string, init?: RequestInit): Promise<Problem> {
  const response = await fetch(`${api.address}${path}`, init);
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  const problem = Problem.parse(await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}

async function json<Answer>(path: string): Promise<Answer> {
  return (await (await get(path)).json()) as Answer;
}

async function sensorsOf(query: string): Promise<string[]> {
  const { series } = await json<SeriesPage>(`/api/v1/series?${query}`);
  return series.map(({ sensor }) => sensor);
}

async function payloadOf(id: string): Promise<unknown> {
  const { payload } = await json<{ payload: unknown }>(`/api/v1/deadletters/${id}`);
  return payload;
}

const ofNoon = (extra: string): string =>
  `/api/v1/readings?measurement=traffic_flow&from=${noon}&to=2026-01-01T13:00:00Z&${extra}`;

const post = (body: string): RequestInit => ({
  method: "POST",
  body,
  headers: { "content-type": "application/json" },
});

test("jobs say when they ran, what they have still to do, and what went wrong", async () => {
  platform.jobList.push({
    name: "rollup",
    state: "failing",
    runs: 3,
    failures: 1,
    last_run: noon,
    took_s: undefined,
    next_run: noon + 10_000,
    behind: 7,
    last_error: { at: noon, message: "the store is away" },
  });
  expect(await json("/api/v1/jobs")).toEqual({ jobs: [{ ...platform.jobList[0], took_s: null }] });
});

describe("probes", () => {
  test("a platform with an ailing part is alive but not ready, and says what ails it", async () => {
    expect((await get("/readyz")).status).toBe(200);
    platform.parts[2] = { name: "store", ok: false, why: "The disk is full." };

    expect((await get("/healthz")).status).toBe(200);
    const response = await get("/readyz");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      code: "not-ready",
      ready: false,
      detail: "store: The disk is full.",
      parts: [{ ok: true }, { ok: true }, { name: "store", ok: false, why: "The disk is full." }],
    });
  });

  test("metrics count requests by route, not by path", async () => {
    await get("/api/v1/gateways/gw-1");
    await get("/api/v1/gateways/gw-2");
    const metrics = await (await get("/metrics")).text();
    expect(metrics).toContain(
      'marsad_api_request_duration_seconds_count{method="GET",route="/api/v1/gateways/:gateway",status="404"} 2',
    );
  });
});

describe("series", () => {
  test("filters are joined by and", async () => {
    expect(await sensorsOf("")).toEqual(["tf-001", "tf-002", "cs-001", "tf-001"]);
    expect(await sensorsOf("measurement=traffic_flow&agency=mobility")).toEqual(["tf-001", "tf-002"]);
    expect(await sensorsOf("sensor=tf-001")).toEqual(["tf-001", "tf-001"]);
  });

  test("a municipality includes its districts, under any of its names", async () => {
    expect(await sensorsOf("place=Lusail")).toEqual(["tf-001", "cs-001"]);
    expect(await sensorsOf(`place=${encodeURIComponent("الظعاين")}`)).toEqual(["tf-001", "cs-001"]);
    expect(await sensorsOf("place=QA-DA")).toEqual(["tf-002"]);
    expect((await problemAt("/api/v1/series?place=Lusial")).detail).toContain("Lusail");
  });

  test("the cursor leads through all pages once", async () => {
    const seen: number[] = [];
    let next: string | null = "";
    while (next !== null) {
      const cursor: string = next === "" ? "" : `&cursor=${next}`;
      const page = (await (await get(`/api/v1/series?limit=3${cursor}`)).json()) as {
        series: { series: number }[];
        next: string | null;
      };
      seen.push(...page.series.map(({ series }) => series));
      next = page.next;
    }
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  test("a sensor that left the registry has no attributes and no gateway", async () => {
    const page = (await (await get("/api/v1/series?agency=port")).json()) as { series: unknown[] };
    expect(page.series).toEqual([
      {
        series: 3,
        measurement: "traffic_flow",
        agency: "port",
        sensor: "tf-001",
        gateway: null,
        attributes: null,
      },
    ]);
  });
});

describe("the map", () => {
  test("a sensor with a position is one dot of GeoJSON, with its place in both languages", async () => {
    const answer = await get("/api/v1/map?gateway=gw-north");
    expect(answer.headers.get("content-type")).toContain("application/geo+json");
    expect(await answer.json()).toEqual({
      type: "FeatureCollection",
      features: [
        {
          type: "Feature",
          id: "mobility/tf-001",
          geometry: { type: "Point", coordinates: [51.49, 25.42] },
          properties: {
            sensor: "tf-001",
            agency: "mobility",
            gateway: "gw-north",
            place: { code: "QA-ZA-lusail", en: "Lusail", ar: "لوسيل" },
            site: null,
            role: "detector",
            measurements: ["traffic_flow"],
          },
        },
      ],
    });
  });

  test("sensors without a position, and measurements that were not asked for, are no dots", async () => {
    expect(await json("/api/v1/map?measurement=cold_storage")).toEqual({
      type: "FeatureCollection",
      features: [],
    });
  });
});

describe("readings", () => {
  beforeEach(() => {
    for (let minute = 0; minute < 5; minute += 1) {
      platform.readings.push(
        { series: 0, time: noon + minute * 60_000, values: { vehicles: minute } },
        { series: 1, time: noon + minute * 60_000, values: { vehicles: minute, speed_avg: 50.5 } },
      );
    }
    platform.readings.push({ series: 2, time: noon, values: { temp: -18.5, door_open: false } });
  });

  test("come as JSON, by time and then series, without the fields that a reading does not have", async () => {
    const answer = Readings.parse(await (await get(ofNoon("agency=mobility&limit=3"))).json());
    expect(answer).toEqual({
      measurement: "traffic_flow",
      from: "2026-01-01T12:00:00.000Z",
      to: "2026-01-01T13:00:00.000Z",
      order: "asc",
      truncated: true,
      readings: [
        { time: "2026-01-01T12:00:00.000Z", agency: "mobility", sensor: "tf-001", vehicles: 0 },
        {
          time: "2026-01-01T12:00:00.000Z",
          agency: "mobility",
          sensor: "tf-002",
          vehicles: 0,
          speed_avg: 50.5,
        },
        { time: "2026-01-01T12:01:00.000Z", agency: "mobility", sensor: "tf-001", vehicles: 1 },
      ],
    });
  });

  test("of one or more sensors, latest first when asked", async () => {
    const answer = Readings.parse(
      await (await get(ofNoon("sensor=tf-002&sensor=tf-002&order=desc&limit=5"))).json(),
    );
    expect(answer.readings.map(({ vehicles }) => vehicles)).toEqual([4, 3, 2, 1, 0]);
    expect(answer.truncated).toBe(false);
    const both = Readings.parse(
      await (await get(ofNoon("agency=mobility&sensor=tf-002&sensor=tf-001"))).json(),
    );
    expect(both.readings).toHaveLength(10);
  });

  test.each([
    ["the Accept header", "", { accept: "text/csv" }],
    ["format=csv", "&format=csv", {}],
  ])("come as CSV by %s", async (_how, parameter, headers) => {
    const response = await get(
      `/api/v1/readings?measurement=cold_storage&from=${noon}&to=${noon + 1}${parameter}`,
      headers,
    );
    expect(response.headers.get("content-type")).toContain("text/csv");
    expect(response.headers.get("marsad-truncated")).toBe("false");
    expect(parse(await response.text(), { columns: true })).toMatchObject([
      {
        time: "2026-01-01T12:00:00.000Z",
        agency: "food",
        sensor: "cs-001",
        temp: "-18.5",
        humidity: "",
        door_open: "false",
      },
    ]);
  });

  test("many readings come whole", async () => {
    for (let second = 0; second < 7_321; second += 1) {
      platform.readings.push({
        series: 3,
        time: noon - 7_321_000 + second * 1_000,
        values: { vehicles: second },
      });
    }
    const path = `/api/v1/readings?measurement=traffic_flow&agency=port&from=0&to=${noon}&limit=100000`;
    const { readings } = Readings.parse(await (await get(path)).json());
    expect(readings.map(({ vehicles }) => vehicles)).toEqual(Array.from({ length: 7_321 }, (_, i) => i));
    const csv = await (await get(`${path}&format=csv`)).text();
    expect(csv.trimEnd().split("\n")).toHaveLength(7_322);
  });

  test("a measurement that nobody has sent yet has none", async () => {
    const answer = Readings.parse(
      await (await get(`/api/v1/readings?measurement=cold_storage&agency=nobody`)).json(),
    );
    expect(answer.readings).toEqual([]);
  });

  test("an unknown measurement or sensor is a 404 that offers the nearest names", async () => {
    expect(await problemAt("/api/v1/readings?measurement=trafic_flow")).toMatchObject({
      status: 404,
      code: "unknown-measurement",
      nearest: ["traffic_flow"],
    });
    expect(await problemAt("/api/v1/readings?measurement=traffic_flow&sensor=tf-003")).toMatchObject({
      status: 404,
      code: "unknown-sensor",
      nearest: ["tf-001", "tf-002"],
    });
    const elsewhere = await problemAt("/api/v1/readings?measurement=traffic_flow&sensor=cs-001");
    expect(elsewhere.detail).toContain("food's cold_storage");
  });

  test("a sensor of two agencies must be told apart", async () => {
    const problem = await problemAt(ofNoon("sensor=tf-001"));
    expect(problem).toMatchObject({ status: 400, code: "ambiguous-sensor" });
    expect(problem.detail).toMatch(/mobility, port.*agency=/);
    expect((await get(ofNoon("sensor=tf-001&agency=port"))).status).toBe(200);
  });

  test.each([
    ["from=yesterday", "from", /RFC 3339/],
    ["from=2026-01-01T00:00:00", "from", /no offset: write 2026-01-01T00:00:00Z/],
    ["to=1767225600", "to", /looks like seconds/],
    ["from=2026-02-30T00:00:00Z", "from", /not a time/],
    ["limit=0", "limit", />=1/],
    ["limit=100001", "limit", /<=100000/],
    ["form=0", "", /"form"/],
  ])("a bad parameter (%s) is a 400 that names it and says how", async (parameter, at, how) => {
    const problem = await problemAt(`/api/v1/readings?measurement=traffic_flow&${parameter}`);
    expect(problem).toMatchObject({ status: 400, code: "bad-request", errors: [{ at }] });
    expect(problem.detail).toMatch(how);
  });

  test("an empty range is refused", async () => {
    const problem = await problemAt(`/api/v1/readings?measurement=traffic_flow&from=${noon}&to=${noon}`);
    expect(problem.status).toBe(400);
  });
});

describe("gateways", () => {
  test("each has its ledger, and an unknown one a 404", async () => {
    platform.accountList.push(account);
    expect(await (await get("/api/v1/gateways")).json()).toEqual({ gateways: [account] });
    expect(await (await get("/api/v1/gateways/gw-north")).json()).toEqual(account);
    expect(await problemAt("/api/v1/gateways/gw-nort")).toMatchObject({ status: 404, nearest: ["gw-north"] });
  });

  test("totals are the platform's", async () => {
    platform.totalsNow = { ...platform.totalsNow, stored: 42 };
    expect(await (await get("/api/v1/totals")).json()).toEqual(platform.totalsNow);
  });
});

describe("dead letters", () => {
  test("are listed without their bytes, by filter", async () => {
    platform.letters.push({ ...letter, payload: Buffer.from("x") });
    const answer = await (await get("/api/v1/deadletters?gateway=gw-north&reason=future")).json();
    expect(answer).toEqual({ deadletters: [letter] });
    expect(platform.asked.list).toEqual({ gateway: "gw-north", reason: "future", limit: 100 });
    expect((await problemAt("/api/v1/deadletters?reason=bored")).status).toBe(400);
  });

  test("show their bytes as text, or as base64 when they are not UTF-8", async () => {
    platform.letters.push(
      { ...letter, id: "text", payload: Buffer.from("درجة") },
      { ...letter, id: "bytes", payload: Uint8Array.of(0xff, 0xfe) },
      { ...letter, id: "gone", kept: false, payload: null },
    );
    expect(await payloadOf("text")).toEqual({ encoding: "utf-8", text: "درجة" });
    expect(await payloadOf("bytes")).toEqual({ encoding: "base64", text: "//4=" });
    expect(await payloadOf("gone")).toBeNull();
    expect(await problemAt("/api/v1/deadletters/none")).toMatchObject({
      status: 404,
      code: "unknown-dead-letter",
    });
  });

  test("are replayed by filter", async () => {
    platform.letters.push({ ...letter, payload: null });
    const response = await fetch(`${api.address}/api/v1/deadletters/replay`, post('{"reason":"future"}'));
    expect(await response.json()).toEqual({ tried: 1, accepted: 0, refused: 1 });
    expect(platform.asked.replay).toEqual({ reason: "future" });
  });

  test.each([
    ["an unknown member", post('{"gatway":"gw-1"}'), 400],
    ["broken JSON", post('{"gateway":'), 400],
    ["no body", { method: "POST" }, 400],
    ["plain text", { method: "POST", body: "{}" }, 415],
    ["a form", { method: "POST", body: new URLSearchParams({}) }, 415],
    ["2 MiB", post(JSON.stringify({ gateway: "x".repeat(2 << 20) })), 413],
  ])("a replay with %s is refused", async (_what, init, status) => {
    expect((await problemAt("/api/v1/deadletters/replay", init)).status).toBe(status);
    expect(platform.asked.replay).toBeUndefined();
  });
});

describe("the index", () => {
  test("names every address", async () => {
    const index = (await (await get("/")).json()) as { version: string; addresses: Record<string, string> };
    expect(index.version).toBe("1.2.3");
    expect(Object.keys(index.addresses)).toEqual(
      expect.arrayContaining([
        "/readyz",
        "/api/v1/readings",
        "POST /api/v1/deadletters/replay",
        "/openapi.json",
      ]),
    );
    for (const path of Object.keys(index.addresses).filter((one) => !/[ {]/.test(one))) {
      expect([path, (await get(path)).status]).not.toEqual([path, 404]);
    }
  });

  test("anything else is a 404 in the one error shape", async () => {
    expect(await problemAt("/api/v2/readings")).toMatchObject({ status: 404, code: "unknown-address" });
    expect(await problemAt("/%zz")).toMatchObject({ status: 400 });
  });
});

describe("the world around", () => {
  test("a store that is away is a 503 to try again", async () => {
    platform.readings.push({ series: 0, time: Date.now() - 1, values: { vehicles: 1 } });
    platform.read = async () => {
      throw new MarsadError("STORE_UNAVAILABLE", "The store is being reopened.");
    };
    const response = await get("/api/v1/readings?measurement=traffic_flow");
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({ status: 503, code: "store-unavailable" });
  });

  test("a platform that breaks is a 500 that tells nothing of its inside", async () => {
    platform.accounts = async () => {
      throw new Error("the secret is 42");
    };
    const problem = await problemAt("/api/v1/gateways");
    expect(problem).toMatchObject({ status: 500, code: "internal" });
    expect(JSON.stringify(problem)).not.toContain("42");
  });

  test("bytes that are not HTTP get a problem and a closed connection", async () => {
    const socket = connect(Number(new URL(api.address).port), "127.0.0.1");
    socket.write("MQTT is not HTTP\r\n\r\n");
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect(Problem.parse(JSON.parse(answer.slice(answer.indexOf("{")))).status).toBe(400);
  });

  test("a page of another site is refused, by its origin and by a name made to point here", async () => {
    expect(
      await problemAt("/api/v1/deadletters/replay", {
        ...post("{}"),
        headers: {
          "content-type": "application/json",
          "sec-fetch-site": "cross-site",
          "sec-fetch-mode": "cors",
        },
      }),
    ).toMatchObject({ status: 403, code: "foreign-origin" });
    const socket = connect(Number(new URL(api.address).port), "127.0.0.1");
    socket.end("GET /api/v1/gateways HTTP/1.1\r\nHost: rebound.example:8080\r\nConnection: close\r\n\r\n");
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 403 /);
    expect((await fetch(api.address.replace("127.0.0.1", "localhost"))).status).toBe(200);
  });

  test("off this machine it refuses to listen, unless something in front is named", async () => {
    const options = { port: memoryPlatform(), log, version: "0" };
    const open = { host: "0.0.0.0", port: 0 };
    await expect(openApi({ ...options, metrics: new Registry(), listen: open })).rejects.toSatisfy((error) =>
      hasCode(error, "CONFIG_INVALID"),
    );
    await using behind = await openApi({
      ...options,
      metrics: new Registry(),
      listen: open,
      behindProxy: true,
    });
    expect((await fetch(behind.address.replace("0.0.0.0", "127.0.0.1"))).status).toBe(200);
  });

  test("a taken address is told as such", async () => {
    const port = Number(new URL(api.address).port);
    await expect(
      openApi({
        listen: { host: "127.0.0.1", port },
        port: platform,
        metrics: new Registry(),
        log,
        version: "0",
      }),
    ).rejects.toSatisfy((error) => hasCode(error, "ADDRESS_IN_USE"));
  });

  test("closing twice is safe and ends connections that are held open", async () => {
    const idle = connect(Number(new URL(api.address).port), "127.0.0.1");
    idle.on("error", () => undefined);
    await get("/healthz");
    await Promise.all([api[Symbol.asyncDispose](), api[Symbol.asyncDispose]()]);
    await expect(get("/healthz")).rejects.toThrow("fetch failed");
    idle.destroy();
  });
});
