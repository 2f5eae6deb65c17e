import { parse } from "csv-parse/sync";
import pino from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApi, type Api } from "#api/api.ts";
import { Readings } from "#api/schemas.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { TestJournal, type Reading } from "../../contract/store/journal.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { memoryPlatform } from "../../unit/api/memory-platform.ts";

const log = pino({ level: "silent" });
const midnight = Date.UTC(2026, 0, 2);
const ofCatalogue = Object.fromEntries(
  builtinCatalogue.measurements.map(({ name, fields }) => [
    name,
    Object.fromEntries(fields.map((field) => [field.name, field.type])),
  ]),
);

/** Two sensors over three days, one reading in ten minutes; every seventh lacks its speed. */
const sent: Reading[] = Array.from({ length: 2 * 432 }, (_, i) => ({
  measurement: "traffic_flow",
  sensor: `tf-00${(i % 2) + 1}`,
  time: midnight - 86_400_000 + Math.floor(i / 2) * 600_000,
  fields: i % 7 === 0 ? { vehicles: i } : { vehicles: i, speed_avg: i / 8 },
}));

const resources = new AsyncDisposableStack();
let api: Api;

beforeAll(async () => {
  const folder = resources.use(tempFolder("api"));
  const store = resources.use(await openDuckDbStore({ path: folder.path, log }));
  const journal = new TestJournal(ofCatalogue);
  await store.write(journal.batchOf(sent));
  const series = Array.from(await store.series()).map((entry) => ({
    ...entry,
    attributes: undefined,
    gateway: undefined,
  }));
  const port = { ...memoryPlatform(), series: () => series, read: store.read.bind(store) };
  api = resources.use(
    await openApi({
      listen: { host: "127.0.0.1", port: 0 },
      port,
      metrics: new Registry(),
      log,
      version: "0.0.0",
    }),
  );
});
afterAll(() => resources.disposeAsync());

const url = (query: string): string => `${api.address}/api/v1/readings?measurement=traffic_flow&${query}`;

test("what is in DuckDB comes out as it went in, over midnight, as JSON and as CSV", async () => {
  const range = `from=${midnight - 43_200_000}&to=2026-01-02T15:00:00%2B03:00&limit=100000`;
  const expected = sent
    .filter(({ time }) => time >= midnight - 43_200_000 && time < midnight + 43_200_000)
    .map(({ sensor, time, fields }): Record<string, unknown> => ({
      time: new Date(time).toISOString(),
      agency: "test",
      sensor,
      ...fields,
    }));
  expect(expected.length).toBe(288);

  const answer = Readings.parse(await (await fetch(url(range))).json());
  expect(answer.truncated).toBe(false);
  expect(answer.readings).toEqual(expected);

  const csv = await (await fetch(url(range), { headers: { accept: "text/csv" } })).text();
  const rows = parse<Record<string, string>>(csv, { columns: true });
  expect(rows.map(({ time, sensor, vehicles }) => ({ time, sensor, vehicles: Number(vehicles) }))).toEqual(
    expected.map(({ time, sensor, vehicles }) => ({ time, sensor, vehicles })),
  );
});

test("following `truncated` from the last reading's time leads to every reading", async () => {
  const seen = new Map<string, unknown>();
  let from = String(midnight - 86_400_000);
  for (;;) {
    const answer = Readings.parse(
      await (await fetch(url(`from=${from}&to=${midnight + 200_000_000}&limit=101`))).json(),
    );
    for (const reading of answer.readings) seen.set(`${reading.sensor} ${reading.time}`, reading["vehicles"]);
    if (!answer.truncated) break;
    from = answer.readings.at(-1)!.time;
  }
  expect(seen.size).toBe(sent.length);
});

test("the latest come first when asked", async () => {
  const answer = Readings.parse(
    await (await fetch(url(`sensor=tf-002&from=0&to=${midnight + 200_000_000}&order=desc&limit=3`))).json(),
  );
  const last = sent.filter(({ sensor }) => sensor === "tf-002").slice(-3);
  expect(answer.readings.map(({ vehicles }) => vehicles)).toEqual(
    last.map(({ fields }) => fields["vehicles"]).toReversed(),
  );
});
