import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { expect, test } from "vitest";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import { ClosedDayLoad, readingsPerBlock } from "../../contract/store/closed-day-load.ts";
import { contentOf } from "../../contract/store/model.ts";
import { reportFault } from "../../support/fault-report.ts";
import { kills } from "../../support/soak.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** Milliseconds until a rewrite must have ended: none may be left behind by a test that fails. */
const patience = 60_000;

/** Until the first rewrite begins anew, a little more, and it is killed. */
async function writeUntilKilled(folder: string): Promise<{ acknowledged: number; rewrites: number }> {
  const file = new URL("../../contract/store/children/day-writer.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [file, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let acknowledged = -1;
  let rewrites = 0;
  const lines = createInterface(child.stdout);
  const rewritten = Promise.withResolvers<void>();
  lines.on("line", (line) => {
    if (line === "rewritten") {
      rewrites += 1;
      rewritten.resolve();
    } else if (line !== "log") acknowledged = Number(line);
  });
  await Promise.race([rewritten.promise, exited, sleep(patience, undefined, { ref: false })]);
  await sleep(Math.random() * 700);
  child.kill("SIGKILL");
  await exited;
  await new Promise((resolve) => setImmediate(resolve));
  return { acknowledged, rewrites };
}

test("kill -9 while a day is rewritten and readings, corrections and duplicates arrive for it: nothing lost, nothing twice", async ({
  annotate,
}) => {
  using folder = tempFolder("days");
  const load = new ClosedDayLoad();
  let [tried, acknowledgedBlocks, rewritten, lost, twice] = [0, 0, 0, 0, 0];
  try {
    for (let kill = 0; kill < kills; kill++) {
      const { acknowledged, rewrites } = await writeUntilKilled(folder.path);
      tried += 1;
      rewritten += rewrites;
      await using store = await openDuckDbStore({ path: folder.path, log: pino({ level: "silent" }) });
      const position = await store.position(load.journal.uuid);
      load.batch(position); // so that the journal knows its sensors
      const { rows, tallies } = modelAt(load, position);
      const stored = await contentOf(store, load.journal, { traffic_flow: load.names });
      acknowledgedBlocks = Math.max(acknowledgedBlocks, acknowledged);
      lost += [...rows.keys()].filter((key) => !stored.has(key)).length;
      twice += (await store.count()) - stored.size;
      expect(position).toBeGreaterThanOrEqual(acknowledged);
      expect(stored).toEqual(rows);
      expect(await store.count()).toBe(rows.size);
      expect(await store.tallies()).toEqual(tallies);
    }
    expect(rewritten).toBeGreaterThanOrEqual(kills);
  } finally {
    await reportFault(annotate, {
      fault: "kill -9 while closed days are rewritten",
      tried,
      sent: acknowledgedBlocks * readingsPerBlock,
      acknowledged: acknowledgedBlocks * readingsPerBlock,
      lost,
      twice,
      measured: { "days rewritten": rewritten },
    });
  }
});

function modelAt(
  load: ClosedDayLoad,
  position: number,
): { rows: Awaited<ReturnType<typeof contentOf>>; tallies: object[] } {
  const model = load.model(position);
  return { rows: model.rows, tallies: model.tallies() };
}
