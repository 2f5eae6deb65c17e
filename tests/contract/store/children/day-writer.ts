/** Writes into a closed day that is rewritten all the while, until it is killed; says each acknowledged position on stdout, and each rewrite. */
import { pino } from "pino";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { ClosedDayLoad } from "../closed-day-load.ts";

const [folder] = process.argv.slice(2) as [string];
const rules = { margin: 0, quiet: 0, patience: 0, fewestRows: 100, tail: 0.001 };
const limits = { reserve_bytes: 0, pieceRows: [2000, 2000] as const };
const say = (line: string): void => void process.stdout.write(`${line}\n`);
await using store = await openDuckDbStore({
  path: folder,
  log: pino(
    { level: "info" },
    { write: (line: string) => say(line.includes("was rewritten") ? "rewritten" : "log") },
  ),
  closedDays: { now: () => Date.UTC(2100, 0), interval: 1, rules, limits },
});
const load = new ClosedDayLoad();
let position = await store.position(load.journal.uuid);
say(String(position));
for (;;) {
  const batch = load.batch(position);
  const begun = performance.now();
  ({ position } = await store.write(batch));
  say(String(position));
  const took = performance.now() - begun;
  // Leaves time to the rewriter, which waits while the store is behind.
  await new Promise((resolve) => setTimeout(resolve, 10 + 2 * took));
}
