import { text } from "node:stream/consumers";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { openInfluxStore } from "#store/influxdb/index.ts";
import type { Store } from "#store/port.ts";
import type { QueryRequest } from "#store/query.ts";
import type { SensorRef, TagVersion } from "#store/tags.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type Reading, TestJournal } from "./journal.ts";

const there = await requireDebian("influxdb");
const note = there ? "" : ` (${whySkipped("influxdb")})`;
const log = pino({ level: "silent" });
const minute = 60_000;
const start = Date.UTC(2026, 0, 31, 22);

/** Three hours across a midnight, a reading a minute; the second sensor moves, the third says little of itself. */
function readings(): Reading[] {
  const found: Reading[] = [];
  for (let i = 0; i < 180; i++) {
    const time = start + i * minute;
    for (const [n, sensor] of ["tf-1", "tf-2", "tf-3"].entries())
      found.push({
        measurement: "traffic_flow",
        sensor,
        time,
        fields: { vehicles: i + n, ...(i % 3 > 0 && { speed_avg: 50 - n }) },
      });
    found.push({ measurement: "food_stock", sensor: "fs 1", time, fields: { stock: i / 4 } });
    found.push({
      measurement: "everything",
      sensor: "s",
      time,
      fields: { level: -i, total: i, open: i % 2 === 0 },
    });
  }
  return found;
}

const moved = start + 60 * minute;
const versions: Record<string, readonly TagVersion[]> = {
  "tf-1": [{ from: Number.NEGATIVE_INFINITY, tags: { district: "QA-DA-a", site: "Ras <1>, north=\\" } }],
  "tf-2": [
    { from: Number.NEGATIVE_INFINITY, tags: { district: "QA-DA-a", lane: "1" } },
    { from: moved, tags: { district: "QA-DA-b", lane: "1" } },
  ],
};

async function answer(store: Store, request: Partial<QueryRequest> & { q: string }): Promise<string> {
  const signal = new AbortController().signal;
  const { status, body } = await store.query({ format: "json", db: "marsad", signal, ...request });
  return `${status} ${await text(body)}`;
}

describe.skipIf(!there)(`a request to DuckDB and to a real influxd${note}`, () => {
  const folder = tempFolder("query");
  const metrics = new Registry();
  const listeners: ((changed: readonly SensorRef[]) => void)[] = [];
  let influxd: Influxd;
  let duckdb: Store;
  let influxdb: Store;

  beforeAll(async () => {
    influxd = await startInfluxd({ folder: folder.path });
    const tags = { tagsOf: (_: string, sensor: string) => versions[sensor] ?? [], log };
    duckdb = await openDuckDbStore({
      path: `${folder.path}/duckdb`,
      ...tags,
      metrics,
      onTagsChanged: (listener) => {
        listeners.push(listener);
        return () => listeners.splice(0);
      },
    });
    influxdb = await openInfluxStore({
      path: `${folder.path}/influxdb`,
      url: influxd.url,
      database: "marsad",
      ...tags,
    });
    const journal = new TestJournal().append(readings());
    for (const store of [duckdb, influxdb]) {
      await store.write(journal.batch(0));
      await store.writeResults([
        {
          policy: "autogen",
          measurement: "alert",
          fields: [
            { name: "state", type: "string", values: ["open", 'a "word"'] },
            { name: "state_code", type: "integer", values: Float64Array.of(1, 2) },
          ],
          time: Float64Array.of(start, start + minute),
          series: Uint32Array.of(0, 1),
          tagSets: [{ alert: "a-1", severity: "minor" }, { alert: "a-2" }],
        },
        {
          policy: "rollup_1h",
          measurement: "traffic_flow",
          fields: [{ name: "vehicles_mean", type: "float", values: Float64Array.of(1.5, 2.5) }],
          time: Float64Array.of(start, start),
          series: Uint32Array.of(
            journal.seriesOf("traffic_flow", "tf-1"),
            journal.seriesOf("traffic_flow", "tf-2"),
          ),
        },
      ]);
    }
  });
  afterAll(async () => {
    await duckdb[Symbol.asyncDispose]();
    await influxdb[Symbol.asyncDispose]();
    await influxd[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const range = `time >= ${start}ms AND time < ${start + 180 * minute}ms`;

  test("is answered with the same bytes", async () => {
    const statements = [
      `SELECT mean(vehicles) FROM traffic_flow WHERE ${range} GROUP BY time(1h), district`,
      `SELECT vehicles, speed_avg FROM traffic_flow WHERE ${range} AND sensor = 'tf-1' ORDER BY time DESC LIMIT 5`,
      `SELECT * FROM traffic_flow WHERE ${range} AND district = 'QA-DA-b' LIMIT 3`,
      `SELECT max(vehicles), min(speed_avg) FROM traffic_flow WHERE ${range} GROUP BY *`,
      `SELECT last(vehicles) FROM traffic_flow GROUP BY sensor`,
      `SELECT first(open) FROM everything`,
      `SELECT sum(total) FROM everything WHERE open = true AND ${range} GROUP BY time(20m) fill(none) TZ('Asia/Qatar')`,
      `SELECT state, state_code FROM alert; SELECT stock FROM food_stock WHERE stock < 1`,
      `SELECT state FROM alert WHERE state =~ /^a/ GROUP BY severity`,
      `SELECT * FROM rollup_1h.traffic_flow`,
      `SELECT vehicles_mean FROM "rollup_1h"."traffic_flow" GROUP BY district`,
      `SELECT nothing FROM traffic_flow; SELECT vehicles FROM nowhere`,
      `SELECT vehicles FROM`,
      `SELECT vehicles FROM other.autogen.traffic_flow`,
      `SELECT x FROM norp.traffic_flow`,
    ];
    for (const q of statements)
      for (const form of [
        {},
        { epoch: "ms" },
        { epoch: "ns", format: "csv" },
        { epoch: "s", chunk: 4 },
      ] as const) {
        const [ours, theirs] = await Promise.all([
          answer(duckdb, { q, ...form }),
          answer(influxdb, { q, ...form }),
        ]);
        // InfluxDB leaves errors of statements out of its CSV.
        if ("format" in form && /^200 (error|$)/.test(theirs)) continue;
        expect([q, ours]).toEqual([q, theirs]);
      }
  });

  test("SHOW is answered with the same bytes", async () => {
    const statements = [
      "SHOW DATABASES",
      "SHOW MEASUREMENTS",
      "SHOW MEASUREMENTS LIMIT 1 OFFSET 1",
      "SHOW MEASUREMENTS WITH MEASUREMENT =~ /^(a|e)/",
      "SHOW MEASUREMENTS WITH MEASUREMENT = alert",
      "SHOW MEASUREMENTS WHERE district = 'QA-DA-b'",
      "SHOW MEASUREMENTS WHERE district != 'QA-DA-b'",
      "SHOW MEASUREMENTS WHERE sensor != 'tf-1'",
      "SHOW MEASUREMENTS WHERE agency =~ /t/ AND lane = '1' OR alert = 'a-1'",
      "SHOW MEASUREMENTS WHERE time > 0",
      "SHOW TAG KEYS",
      "SHOW TAG KEYS FROM traffic_flow",
      "SHOW TAG KEYS FROM rollup_1h.traffic_flow",
      "SHOW TAG KEYS FROM /a/ WHERE sensor = 'tf-3' LIMIT 1 OFFSET 1",
      "SHOW TAG KEYS WHERE vehicles > 1",
      "SHOW TAG KEYS WHERE severity = 'minor'",
      'SHOW TAG VALUES WITH KEY = "district"',
      "SHOW TAG VALUES FROM traffic_flow WITH KEY IN (sensor, district, site)",
      "SHOW TAG VALUES FROM traffic_flow WITH KEY =~ /s/ WHERE district = 'QA-DA-b'",
      "SHOW TAG VALUES WITH KEY !~ /e/ LIMIT 2 OFFSET 1",
      "SHOW TAG VALUES WITH KEY != agency WHERE lane = ''",
      "SHOW TAG VALUES FROM traffic_flow WITH KEY = sensor WHERE district =~ /a$/ OR district = ''",
      "SHOW TAG VALUES FROM traffic_flow WITH KEY = nothing",
      "SHOW FIELD KEYS",
      "SHOW FIELD KEYS FROM traffic_flow",
      "SHOW FIELD KEYS FROM rollup_1h./.*/",
      "SHOW FIELD KEYS FROM everything LIMIT 1 OFFSET 1",
      "SHOW SERIES",
      "SHOW SERIES FROM traffic_flow WHERE district != 'QA-DA-a' LIMIT 3",
      "SHOW TAG VALUES WITH KEY = lane WHERE 'x' = sensor",
      "SHOW MEASUREMENT CARDINALITY",
      "SHOW MEASUREMENT EXACT CARDINALITY",
      "SHOW SERIES CARDINALITY",
      "SHOW SERIES EXACT CARDINALITY FROM traffic_flow",
      "SHOW TAG KEY CARDINALITY FROM traffic_flow",
      "SHOW TAG VALUES EXACT CARDINALITY FROM traffic_flow WITH KEY = sensor",
      "SHOW FIELD KEY CARDINALITY",
      "SHOW FIELD KEY CARDINALITY FROM rollup_1h.traffic_flow",
    ];
    for (const q of statements)
      for (const form of [{}, { format: "csv" }] as const) {
        const [ours, theirs] = await Promise.all([
          answer(duckdb, { q, ...form }),
          answer(influxdb, { q, ...form }),
        ]);
        if ("format" in form && /^200 (error|$)/.test(theirs)) continue;
        expect([q, ours]).toEqual([q, theirs]);
      }
    const policies = JSON.parse((await answer(duckdb, { q: "SHOW RETENTION POLICIES" })).slice(4)) as {
      results: [{ series: [{ values: unknown[][] }] }];
    };
    expect(policies.results[0].series[0].values.map(([name]) => name)).toContain("rollup_1h");
  });
});
