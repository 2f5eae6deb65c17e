import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Table } from "#edge-agent/inputs/modbus/register-map.ts";
import { requireDebian } from "../debian.ts";
import { poll } from "../poll.ts";

/** Devices of Debian's pymodbus: `requirePymodbus()` first. */
export interface Pymodbus extends AsyncDisposable {
  /** Of TCP; 0 on a serial line. */
  readonly port: number;
  /** Gives a device registers, from `register` on; those it was never given it does not have. */
  set(unit: number, table: Table, register: number, values: readonly (number | boolean)[]): Promise<void>;
}

/** Debian's own Python, which sees Debian's packages. */
const python = "/usr/bin/python3";
const script = join(import.meta.dirname, "pymodbus-server.py");

export const neededPackages = ["python3-pymodbus", "python3-serial-asyncio"] as const;

export async function requirePymodbus(): Promise<boolean> {
  for (const name of neededPackages) if (!(await requireDebian(name))) return false;
  return true;
}

/** @param device  Of a serial line; without it they are on a TCP port. */
export async function openPymodbus(device?: string): Promise<Pymodbus> {
  const args = device === undefined ? ["tcp"] : ["rtu", device];
  const server = spawn(python, [script, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(server, "exit");
  const answers = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    const { value, done } = await answers.next();
    if (done === true) throw new Error("pymodbus ended");
    return value;
  };
  const first = await answer();
  return {
    port: device === undefined ? Number(first) : 0,
    async set(unit, table, register, values): Promise<void> {
      server.stdin.write(`${JSON.stringify({ unit, table, register, values })}\n`);
      await answer();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      server.stdin.end();
      server.kill();
      await exited;
    },
  };
}

/** The two ends of a serial line, made by Debian's socat: `requireDebian("socat")` first. */
export interface SerialLine extends AsyncDisposable {
  readonly here: string;
  readonly there: string;
}

export async function openSerialLine(folder: string): Promise<SerialLine> {
  const here = join(folder, "line-here");
  const there = join(folder, "line-there");
  const ends = [here, there].map((link) => `pty,raw,echo=0,link=${link}`);
  const socat: ChildProcess = spawn("socat", ends, { stdio: "ignore" });
  const exited = once(socat, "exit");
  await poll(() => existsSync(here) && existsSync(there));
  return {
    here,
    there,
    async [Symbol.asyncDispose](): Promise<void> {
      socat.kill();
      await exited;
    },
  };
}
