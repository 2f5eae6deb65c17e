import { readFileSync } from "node:fs";

const ticksPerSecond = 100; // USER_HZ: the same on every Linux

/** CPU-seconds that a process has used, user and system, all threads. Linux. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name before may have blanks: fields are counted behind its bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
