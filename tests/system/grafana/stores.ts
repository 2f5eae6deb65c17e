import { join } from "node:path";
import { pino } from "pino";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { openInfluxStore } from "#store/influxdb/index.ts";
import type { TagsOf } from "#store/influxdb/index.ts";
import type { Store } from "#store/port.ts";
import { databaseName } from "#store/query.ts";
import { type Shapes, TestJournal } from "../../contract/store/journal.ts";
import type { Ask } from "#dashboards/grafana/asking.ts";
import { type InfluxSeries, startInfluxd } from "../../support/influxd.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { newestReadings, resultBatches, rollups, sensors } from "./city.ts";

export interface Stores extends AsyncDisposable {
  readonly all: readonly { readonly name: string; readonly ask: Ask<InfluxSeries> }[];
}

const tagsOf: TagsOf = (_, sensor) => [
  { from: Number.NEGATIVE_INFINITY, tags: sensors.find((city) => city.sensor === sensor)!.tags },
];

/** The same city in each store, written as the platform writes it: readings, then what its jobs make of them. */
export async function openStores(now: number): Promise<Stores> {
  await using opened = new AsyncDisposableStack();
  const log = pino({ level: "silent" });
  const folder = opened.use(tempFolder("grafana"));
  const influxd = opened.use(await startInfluxd({ folder: folder.path }));
  const stores: Store[] = [
    opened.use(await openDuckDbStore({ path: join(folder.path, "duckdb"), tagsOf, log })),
    opened.use(
      await openInfluxStore({
        path: join(folder.path, "influxdb"),
        url: influxd.url,
        database: databaseName,
        tagsOf,
        log,
      }),
    ),
  ];
  const shapes: Record<string, Shapes[string]> = {};
  for (const { measurement } of sensors)
    shapes[measurement.name] = Object.fromEntries(measurement.fields.map(({ name, type }) => [name, type]));
  const journal = new TestJournal(shapes).append(newestReadings(now));
  const batches = [
    ...rollups(now, ({ measurement, sensor }) => journal.seriesOf(measurement.name, sensor)),
    ...resultBatches(now),
  ];
  await Promise.all(
    stores.map(async (store) => {
      await store.write(journal.batch(0));
      for (const batch of batches) await store.writeResults([batch]);
    }),
  );
  const held = opened.move();
  return {
    all: stores.map((store) => ({ name: store.kind, ask: async (influxql) => await ask(store, influxql) })),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** As Grafana's data source: one statement, times in milliseconds. */
async function ask(store: Store, influxql: string): Promise<readonly InfluxSeries[]> {
  const { signal } = new AbortController();
  const { body } = await store.query({ q: influxql, db: databaseName, epoch: "ms", format: "json", signal });
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const { results, error } = JSON.parse(Buffer.concat(pieces).toString()) as {
    results?: { series?: InfluxSeries[]; error?: string }[];
    error?: string;
  };
  const wrong = error ?? results?.[0]?.error;
  if (wrong !== undefined) throw new Error(`${store.kind}: ${influxql}: ${wrong}`);
  return results?.[0]?.series ?? [];
}
