import { readFileSync } from "node:fs";

/** Milliseconds for which a program's main thread was ready to run and other programs had the cores, since it started. Linux. */
export function coreWait(pid: number): number {
  const [, waited_ns] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ");
  return Number(waited_ns) / 1e6;
}
