/** Writes a steady load into a store until it is killed; says each acknowledged position on stdout. */
import { pino } from "pino";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { SteadyLoad } from "../steady-load.ts";

const [folder, readingsPerBlock] = process.argv.slice(2) as [string, string];
await using store = await openDuckDbStore({ path: folder, log: pino({ level: "silent" }) });
const load = new SteadyLoad(Number(readingsPerBlock));
let position = await store.position(load.journal.uuid);
process.stdout.write(`${position}\n`);
for (;;) {
  ({ position } = await store.write(load.batch(position)));
  process.stdout.write(`${position}\n`);
}
