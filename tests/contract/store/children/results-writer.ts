/** Writes readings, roll-ups and marks until it is killed; says each block that is written on stdout. */
import { pino } from "pino";
import { type DuckDbStoreOptions, openDuckDbStore } from "#store/duckdb/index.ts";
import { type InfluxStoreOptions, openInfluxStore } from "#store/influxdb/index.ts";
import { ResultsLoad } from "../results-load.ts";

type Opened =
  | { kind: "duckdb"; options: Omit<DuckDbStoreOptions, "log"> }
  | { kind: "influxdb"; options: Omit<InfluxStoreOptions, "log"> };

const opened = JSON.parse(process.argv[2]!) as Opened;
const log = pino({ level: "silent" });
await using store = await (opened.kind === "duckdb"
  ? openDuckDbStore({ ...opened.options, log })
  : openInfluxStore({ ...opened.options, log }));
const load = new ResultsLoad();
let position = await store.position(load.journal.uuid);
for (;;) {
  const block = position;
  ({ position } = await store.write(load.batch(block)));
  const again = block > 0 ? [load.rollup(block - 1, 1)] : [];
  await store.writeResults([load.rollup(block, 0), ...again]);
  // The first half of each hour is rolled up.
  const hours = await store.dirty();
  await store.clean(hours.map((hour) => ({ ...hour, minutes: new Uint8Array(60).fill(1, 0, 30) })));
  process.stdout.write(`${position}\n`);
}
