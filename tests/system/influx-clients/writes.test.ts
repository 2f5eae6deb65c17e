import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { InfluxDB as InfluxClient, HttpError, Point, setLogger } from "@influxdata/influxdb-client";
import { FieldType, InfluxDB } from "influx";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeGateway } from "#broker/identities.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { flowLine, type OwnGateway, type SharedPlatform, sharePlatform } from "../platform/support.ts";

let shared: SharedPlatform;
let platform: Platform;

beforeAll(async () => {
  setLogger({ error: () => undefined, warn: () => undefined });
  shared = await sharePlatform();
  ({ platform } = shared);
});
afterAll(() => shared[Symbol.asyncDispose]());

const post = (
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
): Promise<Response> => fetch(`${platform.ready.http}${path}`, { method: "POST", body, headers });

const basic = ({ name, password }: Pick<OwnGateway, "name" | "password">): Record<string, string> => ({
  authorization: `Basic ${btoa(`${name}:${password}`)}`,
});

test.concurrent("@influxdata/influxdb-client writes, as to InfluxDB 2 and as to 1.x", async () => {
  await using gateway = await shared.newGateway(["a", "b"]);
  const client = new InfluxClient({
    url: platform.ready.http,
    token: `${gateway.name}:${gateway.password}`,
  });
  const time = Date.now() - 60_000;
  const point = (sensor: string, ms: number): Point =>
    new Point("traffic_flow")
      .tag("sensor", `${gateway.name}.${sensor}`)
      .intField("vehicles", 31)
      .floatField("speed_avg", 48.25)
      .timestamp(ms);

  const second = client.getWriteApi("any", "marsad", "ms", { maxRetries: 0 });
  second.writePoint(point("a", time));
  second.writePoint(point("b", time));
  await second.close();
  const first = client.getWriteApi("any", "marsad", "ns", { maxRetries: 0, gzipThreshold: 0 });
  first.path = "/write?db=marsad&precision=ns";
  first.writeRecord(flowLine(`${gateway.name}.a`, 7, time + 1).replace(/\d+$/, `${time + 1}000000`));
  await first.close();

  await platform.settled(gateway.name, ({ stored }) => stored === 3);
  const sensor = `${gateway.name}.a`;
  expect(await platform.readings("traffic_flow", sensor)).toEqual([
    { time: new Date(time).toISOString(), agency: "mobility", sensor, vehicles: 31, speed_avg: 48.25 },
    { time: new Date(time + 1).toISOString(), agency: "mobility", sensor, vehicles: 7, speed_avg: 48.5 },
  ]);

  // What is refused, the client hears in its own words.
  const refused = client.getWriteApi("any", "marsad", "ms", { maxRetries: 0 });
  let heard: Error | undefined;
  refused.writePoint(point("a", time).stringField("note", "no such field"));
  await refused.flush().catch((error: Error) => (heard = error));
  await refused.close().catch(() => undefined);
  expect(heard).toBeInstanceOf(HttpError);
  expect(heard).toMatchObject({ statusCode: 400, code: "invalid" });
  expect(heard?.message).toMatch(
    /^partial write: unknown-field: traffic_flow has no field "note" \(1\) dropped=1$/,
  );
});

test.concurrent("influx of npm writes, with its schema and its default precision", async () => {
  await using gateway = await shared.newGateway(["a"]);
  const { hostname: host, port } = new URL(platform.ready.http);
  const sensor = `${gateway.name}.a`;
  const influx = new InfluxDB({
    host,
    port: Number(port),
    database: "marsad",
    username: gateway.name,
    password: gateway.password,
    schema: [
      {
        measurement: "traffic_flow",
        fields: { vehicles: FieldType.INTEGER, occupancy: FieldType.FLOAT },
        tags: ["sensor"],
      },
    ],
  });
  const [pinged] = await influx.ping(5_000);
  expect(pinged).toMatchObject({ online: true, version: expect.stringMatching(/^1\.8\.0\+marsad\./) });
  const timestamp = new Date(Date.now() - 60_000);
  await influx.writePoints([
    { measurement: "traffic_flow", tags: { sensor }, fields: { vehicles: 12, occupancy: 0.25 }, timestamp },
  ]);
  await influx.writeMeasurement("traffic_flow", [{ tags: { sensor }, fields: { vehicles: 13 } }]);
  await platform.settled(gateway.name, ({ stored }) => stored === 2);
  expect(await platform.readings("traffic_flow", sensor)).toMatchObject([
    { time: timestamp.toISOString(), vehicles: 12, occupancy: 0.25 },
    { vehicles: 13 },
  ]);
});

test.concurrent("what Telegraf sends: a packed batch with its host tag; the ledger counts it as everything else", async () => {
  await using gateway = await shared.newGateway(["a"]);
  const begun = Date.now() - 600_000;
  const lines = (more: string): string =>
    Array.from(
      { length: 5_000 },
      (_, i) => `traffic_flow,host=srv-1,sensor=${gateway.name}.a${more} vehicles=${i}i ${begun + i}000000\n`,
    ).join("");
  const headers = {
    ...basic(gateway),
    "content-encoding": "gzip",
    "content-type": "text/plain; charset=utf-8",
  };
  const good = await post("/write?db=telegraf", gzipSync(lines("")), headers);
  expect([good.status, await good.text()]).toEqual([204, ""]);
  const bad = await post("/write?db=telegraf", gzipSync(`${lines(",lane=2")}${lines("")}`), headers);
  const error = expect.stringMatching(
    /^partial write: unexpected-tag: the tag "lane".*\(5000\) dropped=5000$/,
  );
  expect([bad.status, await bad.json()]).toEqual([400, { error }]);

  const ledger = await platform.settled(gateway.name);
  expect(ledger).toMatchObject({
    sent: 15_000,
    refused: 5_000,
    refused_by_reason: { "unexpected-tag": 5_000 },
  });
  expect(ledger.stored + ledger.duplicate).toBe(10_000);
  expect(await platform.readings("traffic_flow", `${gateway.name}.a`)).toHaveLength(5_000);
  const [letter] = await platform.deadLetters(gateway.name);
  expect(letter).toMatchObject({ reason: "unexpected-tag", channel: "lp" });
});

test.concurrent("a sensor that nobody registered keeps its readings waiting, and another gateway's is refused", async () => {
  await using gateway = await shared.newGateway(["a"]);
  await using other = await shared.newGateway(["a"]);
  const time = Date.now();
  const waiting = await post(
    "/write?precision=ms",
    flowLine(`${gateway.name}.late`, 3, time),
    basic(gateway),
  );
  expect([waiting.status, waiting.headers.get("marsad-waiting")]).toEqual([204, "1"]);
  const foreign = await post("/write?precision=ms", flowLine(`${other.name}.a`, 3, time), basic(gateway));
  expect([foreign.status, await foreign.json()]).toMatchObject([
    400,
    { error: expect.stringContaining("sensor-owned") },
  ]);
  await gateway.birth([`${gateway.name}.a`, `${gateway.name}.late`]);
  await platform.settled(gateway.name, ({ stored, refused }) => stored === 1 && refused === 1);
});

test.concurrent("a gateway that is removed is not let in again", async () => {
  await using gateway = await shared.newGateway(["a"]);
  const headers = basic(gateway);
  expect((await post("/write", flowLine(`${gateway.name}.a`, 3, Date.now() * 1e6), headers)).status).toBe(
    204,
  );
  const wrong = { ...gateway, password: `${gateway.password}x` };
  expect((await post("/write", "", basic(wrong))).status).toBe(401);
  {
    await using identities = await openRecordStore(join(platform.data, "identities"));
    removeGateway(identities, gateway.name);
  }
  await poll(async () => (await post("/write", "", headers)).status === 401);
});

test("what a 204 was given for survives kill -9", async () => {
  using folder = tempFolder("write-kill");
  const identity = { name: "gw", agency: "mobility" };
  const sensors = ["a", "b", "c"];
  const sent = new Map<string, number>();
  const first = await startPlatform({ folder: folder.path });
  await using _first = first;
  const password = await admitGateway(first.data, identity);
  {
    await using gateway = await connectGateway({ identity, password, port: first.mqttPort });
    await gateway.birth(sensors);
  }
  const begun = Date.now() - 60_000;
  let isOver = false;
  const writers = sensors.map(async (sensor) => {
    for (let i = 0; !isOver; i += 1) {
      const body = [0, 1].map((k) => flowLine(sensor, i, begun + 2 * i + k)).join("\n");
      const answer = await fetch(`${first.ready.http}/write?precision=ms`, {
        method: "POST",
        body,
        headers: basic({ ...identity, password }),
      }).catch(() => undefined);
      if (answer?.status === 204) sent.set(sensor, 2 * i + 2);
      else isOver = true;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 700));
  await first.end("SIGKILL");
  await Promise.all(writers);

  await using second = await startPlatform({ folder: folder.path });
  await second.settled(identity.name);
  for (const sensor of sensors) {
    const readings = await second.readings("traffic_flow", sensor);
    const acknowledged = sent.get(sensor) ?? 0;
    expect(acknowledged).toBeGreaterThan(0);
    expect(readings.length).toBeGreaterThanOrEqual(acknowledged);
  }
});
