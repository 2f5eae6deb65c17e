import { readdirSync, readFileSync } from "node:fs";

/** Those that wait for one another while a program starts: not V8's, which work beside them. */
const inTurn = new Set(["MainThread", "WorkerThread", "libuv-worker"]);

/**
 * Milliseconds for which threads of a Node program were ready to run and others had the cores, since it started: next to nothing on a
 * machine that does nothing else. Linux.
 */
export function coreWait(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  let waited_ns = 0;
  for (const thread of readdirSync(tasks)) {
    if (!inTurn.has(readFileSync(`${tasks}/${thread}/comm`, "utf8").trim())) continue;
    waited_ns += Number(readFileSync(`${tasks}/${thread}/schedstat`, "utf8").split(" ")[1]);
  }
  return waited_ns / 1e6;
}
