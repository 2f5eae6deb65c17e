import { pino } from "pino";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { openInfluxStore } from "#store/influxdb/index.ts";
import type { Store } from "#store/port.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type Ask, asking } from "./answers.ts";
import { DataSet, tagsOf } from "./data-set.ts";

/** Both stores with the same data in them, written as ingest and the platform's jobs write. */
export interface BothStores extends AsyncDisposable {
  readonly influxdb: Ask;
  readonly duckdb: Ask;
  readonly stores: { readonly influxdb: Store; readonly duckdb: Store };
  readonly influxd: Influxd;
}

const database = "marsad";

export async function openBothStores(): Promise<BothStores> {
  const stack = new AsyncDisposableStack();
  try {
    const folders = Array.from({ length: 3 }, () => stack.use(tempFolder("influxql")).path) as [
      string,
      string,
      string,
    ];
    const influxd = stack.use(await startInfluxd({ folder: folders[0] }));
    const log = pino({ level: "silent" });
    const influxdb = stack.use(
      await openInfluxStore({ path: folders[1], url: influxd.url, database, log, tagsOf }),
    );
    const duckdb = stack.use(await openDuckDbStore({ path: folders[2], log, tagsOf }));
    for (const store of [influxdb, duckdb]) await fill(store);
    const kept = stack.move();
    return {
      influxdb: asking(influxdb),
      duckdb: asking(duckdb),
      stores: { influxdb, duckdb },
      influxd,
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function fill(store: Store): Promise<void> {
  const data = new DataSet();
  await store.write(data.batch());
  await store.writeResults(data.results());
}
