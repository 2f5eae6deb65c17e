/** Reads its files again at SIGHUP, slowly; argv[2] is where it writes down what happened. */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { untilSignalOrReload } from "#runtime/lifecycle.ts";

const note = (word: string): void => appendFileSync(process.argv[2]!, `${word}\n`);

using ending = untilSignalOrReload();
const forever = setInterval(() => undefined, 1000);
note("started");
if (process.argv[3] === "late") await sleep(500);
ending.onReload(async () => {
  note("reload");
  await sleep(200);
  note("reloaded");
});
note("ready");
await new Promise((resolve) => ending.signal.addEventListener("abort", resolve));
note(String(ending.signal.reason));
clearInterval(forever);
