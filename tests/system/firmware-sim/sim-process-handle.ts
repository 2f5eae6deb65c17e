import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Progress } from "#firmware-sim/run-sim.ts";

const script = join(import.meta.dirname, "sim-process.ts");

/** `marsad sim` as a process of its own, and what it tells its parent. */
export class SimProcess implements AsyncDisposable {
  readonly told: Progress[] = [];
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output: { stdout: Promise<string>; stderr: Promise<string> };

  constructor(args: readonly string[]) {
    this.child = fork(script, args, { silent: true });
    this.#exited = once(this.child, "exit");
    this.#output = { stdout: text(this.child.stdout!), stderr: text(this.child.stderr!) };
    this.child.on("message", (message) => this.told.push(message as Progress));
  }

  async end(signal?: NodeJS.Signals): Promise<{ code: number | null; stdout: string; stderr: string }> {
    if (signal !== undefined) this.child.kill(signal);
    await this.#exited;
    return {
      code: this.child.exitCode,
      stdout: await this.#output.stdout,
      stderr: await this.#output.stderr,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end("SIGKILL");
  }
}
