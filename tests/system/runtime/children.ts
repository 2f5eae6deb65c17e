import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";

/** A real process running one of `children/`, told what to do by arguments, telling how far it is by lines on stdout. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Lines so far; grows. */
  readonly lines: readonly string[];
  readonly stderr: () => string;
  /** Resolves when `lines` holds `count` lines, or the process has ended. */
  untilLines(count: number): Promise<void>;
  /** @returns its exit code, null when a signal ended it. */
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** @param under  A program, with its arguments, that runs the child: strace. */
export function startChild(name: string, args: readonly string[], under: readonly string[] = []): Child {
  const file = new URL(`./children/${name}.ts`, import.meta.url).pathname;
  const [program, ...rest] = [...under, process.execPath, file, ...args];
  return new SpawnedChild(spawn(program!, rest, { stdio: ["ignore", "pipe", "pipe"] }));
}

class SpawnedChild implements Child {
  readonly lines: string[] = [];
  readonly ended: Promise<number | null>;
  readonly #process: ChildProcess;
  readonly #output: Interface;
  #stderr = "";

  constructor(child: ChildProcess) {
    this.#process = child;
    child.stderr!.on("data", (data: Buffer) => (this.#stderr += data.toString()));
    this.#output = createInterface(child.stdout!).on("line", (line) => this.lines.push(line));
    this.ended = once(child, "close").then(([code]) => code as number | null);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  stderr = (): string => this.#stderr;

  async untilLines(count: number): Promise<void> {
    const enough = async (): Promise<void> => {
      while (this.lines.length < count) await once(this.#output, "line");
    };
    await Promise.race([enough(), this.ended]);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill("SIGKILL");
    await this.ended;
  }
}
