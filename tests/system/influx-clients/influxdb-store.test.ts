import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PassThrough } from "#store/influxdb/pass-through.ts";
import { queryBounds, type QueryRequest } from "#store/query.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { begun, sendHour, testReaders } from "./readers.ts";

const there = (await requireDebian("influxdb")) && (await requireDebian("influxdb-client"));
const note = there ? "" : ` (${whySkipped("influxdb")})`;
const root = { user: "root", password: 'it\'s "secret"' };
const resources = new AsyncDisposableStack();
let influxd: Influxd;
let platform: Platform;

/** A platform that keeps its readings in the policy `city` of an InfluxDB where somebody else has a database, too. */
beforeAll(async () => {
  if (!there) return;
  const folder = resources.use(tempFolder("influx-pass"));
  const user = { name: "root", password: 'it\'s "secret"' };
  influxd = resources.use(await startInfluxd({ folder: folder.path, user }));
  await influxd.query("CREATE DATABASE other");
  await influxd.write("other", "secrets,who=them v=1 1");
  const identity = { name: "gw", agency: "mobility" };
  const password = await admitGateway(dataFolder(folder.path), identity);
  process.env["MARSAD_INFLUX_PASSWORD"] = root.password;
  const args = ["--store", "influxdb", "--influx-url", influxd.url, "--influx-user", root.user];
  platform = resources.use(
    await startPlatform({
      folder: folder.path,
      args: [...args, "--influx-db", "marsad", "--influx-rp", "city"],
    }),
  );
  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
  await sendHour(gateway);
  await platform.settled(identity.name, ({ stored }) => stored === 120);
});
afterAll(async () => {
  delete process.env["MARSAD_INFLUX_PASSWORD"];
  await resources.disposeAsync();
});

const ask = async (q: string, more: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> =>
  await fetch(
    `${platform.ready.http}/query?${new URLSearchParams({ q, db: "marsad", ...more }).toString()}`,
    init,
  );
const series = async (q: string, more: Record<string, string> = {}): Promise<unknown> =>
  ((await (await ask(q, { epoch: "ms", ...more })).json()) as { results: [{ series: unknown }] }).results[0]
    .series;

const means = (source: string): string =>
  `SELECT mean(vehicles) FROM ${source} WHERE sensor = $s AND time >= ${begun}ms GROUP BY time(30m) fill(none)`;

describe.skipIf(!there)(`queries go to InfluxDB as they are understood${note}`, () => {
  test("SELECT and SHOW answer, with the platform's name of the policy and with InfluxDB's", async () => {
    const params = JSON.stringify({ s: "tf-1" });
    const rows = await series(means("traffic_flow"), { params });
    expect(rows).toMatchObject([{ name: "traffic_flow", columns: ["time", "mean"] }]);
    for (const source of [
      '"autogen"."traffic_flow"',
      "city.traffic_flow",
      "marsad.autogen.traffic_flow",
      "marsad..traffic_flow",
    ])
      expect(await series(means(source), { params })).toEqual(rows);
    const unnamed = await fetch(
      `${platform.ready.http}/query?q=SHOW+MEASUREMENTS+WITH+MEASUREMENT=traffic_flow`,
    );
    expect(await unnamed.json()).toMatchObject({ results: [{ series: [{ values: [["traffic_flow"]] }] }] });
    for (const rp of ["autogen", "city"])
      expect(await series(means("traffic_flow"), { params, rp })).toEqual(rows);
    const nested = `SELECT max(mean) FROM (${means("autogen.traffic_flow")})`;
    expect(await series(nested, { params })).toMatchObject([{ columns: ["time", "max"] }]);
    expect(await series("SHOW TAG VALUES FROM autogen.traffic_flow WITH KEY = sensor")).toMatchObject([
      {
        values: [
          ["sensor", "tf-1"],
          ["sensor", "tf-2"],
        ],
      },
    ]);
  });

  test("only our database is there: not in the list, not in FROM, not in ON, not in a sub-query, not as db", async () => {
    expect(await series("SHOW DATABASES")).toEqual([
      { name: "databases", columns: ["name"], values: [["marsad"]] },
    ]);
    expect(await (await ask("SHOW DATABASES", {}, { headers: { accept: "text/csv" } })).text()).toBe(
      "name,tags,name\ndatabases,,marsad\n",
    );
    const foreign = [
      "SELECT * FROM other.autogen.secrets",
      'SELECT * FROM "other"..secrets',
      "SELECT * FROM (SELECT * FROM other..secrets)",
      "SHOW MEASUREMENTS ON other",
      "EXPLAIN SELECT * FROM other..secrets",
    ];
    for (const q of foreign) {
      const answer = await ask(`SHOW MEASUREMENTS; ${q}`);
      expect([q, await answer.json()]).toEqual([
        q,
        { results: [{ statement_id: 1, error: "database not found: other" }] },
      ]);
    }
    const other = await ask("SELECT * FROM secrets", { db: "other" });
    expect(await other.json()).toEqual({
      results: [{ statement_id: 0, error: "database not found: other" }],
    });
    const mixed = await ask("SHOW DATABASES; SHOW MEASUREMENTS");
    expect([mixed.status, await mixed.json()]).toMatchObject([400, { error: /stands alone/ }]);
  });

  test("nothing is written, by whatever spelling", async () => {
    const writing = [
      "DROP MEASUREMENT traffic_flow",
      "drop database marsad",
      "DELETE FROM traffic_flow",
      "CREATE DATABASE x",
      "SELECT * INTO copy FROM traffic_flow",
      "SHOW MEASUREMENTS; DROP SERIES FROM traffic_flow",
      "CREATE USER x WITH PASSWORD 'y' WITH ALL PRIVILEGES",
      "/* */ ALTER RETENTION POLICY city ON marsad DURATION 1h",
      "KILL QUERY 1",
      "SET PASSWORD FOR root = ''",
    ];
    for (const q of writing) {
      const answer = await ask(q, {}, { method: "POST" });
      expect([q, answer.status, await answer.json()]).toMatchObject([q, 400, { error: /refused/ }]);
    }
    expect(await influxd.query("SHOW DATABASES")).toMatchObject([{ values: [["other"], ["marsad"]] }]);
    expect(await influxd.query("SELECT count(vehicles) FROM city.traffic_flow", "marsad")).toMatchObject([
      { values: [[0, 120]] },
    ]);
  });

  test("formats, chunks and errors are InfluxDB's", async () => {
    const q = "SELECT vehicles FROM traffic_flow WHERE sensor = 'tf-1'";
    const csv = await ask(q, {}, { headers: { accept: "application/csv" } });
    expect(csv.headers.get("content-type")).toBe("text/csv");
    expect((await csv.text()).split("\n").slice(0, 2)).toEqual([
      "name,tags,time,vehicles",
      `traffic_flow,,${begun}000000,0`,
    ]);
    const chunks = (await (await ask(q, { chunked: "true", chunk_size: "25" })).text()).trim().split("\n");
    expect(chunks.map((chunk) => JSON.parse(chunk) as { results: [{ partial?: boolean }] })).toMatchObject([
      { results: [{ partial: true }] },
      { results: [{ partial: true }] },
      { results: [{ statement_id: 0 }] },
    ]);
    expect(await (await ask(q, { pretty: "true" })).text()).toContain('\n    "results"');
    const broken = await ask("SELECT * frm x");
    expect([broken.status, await broken.json()]).toEqual([
      400,
      { error: "error parsing query: found frm, expected FROM at line 1, char 10" },
    ]);
    const policy = await ask("SELECT * FROM nope.traffic_flow");
    expect(await policy.json()).toEqual({
      results: [{ statement_id: 0, error: "retention policy not found: nope" }],
    });
    expect(await (await ask(" ; ")).text()).toBe("{}\n");
  });

  testReaders(() => platform.ready.http);

  test("time, size and number of queries are bounded, and one that is called off makes room", async () => {
    using queries = new PassThrough({
      url: influxd.url,
      database: "marsad",
      policy: "city",
      ...root,
      bounds: queryBounds,
    });
    const query = async (request: Partial<QueryRequest>): Promise<string> => {
      const { signal } = new AbortController();
      const shown = { q: "SHOW MEASUREMENTS", db: "marsad", format: "json", signal, ...request } as const;
      return await text((await queries.query(shown)).body);
    };
    await expect(query({ q: "SELECT * FROM traffic_flow", limits: { rows: 1 } })).rejects.toMatchObject({
      code: "REFUSED",
      message: expect.stringMatching(/larger than a query may have/),
    });
    await influxd.pause();
    expect(await query({ limits: { time_ms: 200 } })).toMatch(
      /^{"results":\[{"statement_id":0,"error":"the query took longer than 0\.2 s \(limit query_max_s\)/,
    );
    const gone = new AbortController();
    const many = Array.from({ length: 72 }, () => query({ signal: gone.signal }));
    await expect(query({})).rejects.toMatchObject({ code: "REFUSED" });
    const all = Promise.allSettled(many);
    gone.abort();
    expect((await all).every(({ status }) => status === "rejected")).toBe(true);
    influxd.resume();
    expect(JSON.parse(await query({}))).toMatchObject({ results: [{ series: [{ name: "measurements" }] }] });
  });

  test("while InfluxDB is away it is a 503, and what is asked when it is back is answered", async () => {
    await influxd.end("SIGKILL");
    const away = await ask("SHOW MEASUREMENTS");
    expect([away.status, await away.json()]).toMatchObject([
      503,
      { error: /InfluxDB at .* cannot be reached/ },
    ]);
    await influxd.start();
    expect(await series("SHOW FIELD KEYS FROM traffic_flow")).toMatchObject([{ name: "traffic_flow" }]);
  });
});
