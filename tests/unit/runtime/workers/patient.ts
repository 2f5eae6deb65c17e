/** Ends in order when asked, but takes its time: `slow` never comes to its end. */
import { setTimeout as sleep } from "node:timers/promises";
import { untilSignal } from "#runtime/lifecycle.ts";

using ending = untilSignal();
const forever = setInterval(() => undefined, 1000);
process.stdout.write("ready\n");
await new Promise((resolve) => ending.signal.addEventListener("abort", resolve));
process.stdout.write(`${String(ending.signal.reason)}\n`);
if (process.argv[2] === "slow") await sleep(60_000);
clearInterval(forever);
