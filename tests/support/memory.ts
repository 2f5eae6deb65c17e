import { readFileSync } from "node:fs";

/** Anonymous memory of a process, bytes: what it holds itself, without the pages of files (lmdb maps its own). Linux. */
export function anonymousMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} says nothing of its memory`);
  return Number(kilobytes) * 1024;
}

/** The memory of several processes, looked at once a second until disposed. */
export class MemoryWatch implements Disposable {
  readonly #processes: Readonly<Record<string, number>>;
  readonly #samples: Record<string, number>[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param processes  Name -> pid. */
  constructor(processes: Readonly<Record<string, number>>) {
    this.#processes = processes;
    this.#timer = setInterval(() => this.#look(), 1000);
    this.#look();
  }

  get samples(): number {
    return this.#samples.length;
  }

  /** Highest of the samples `[from, to)` of a process, bytes. */
  highest(name: string, from = 0, to = this.#samples.length): number {
    return Math.max(...this.#samples.slice(from, to).map((sample) => sample[name]!));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#samples.push(
      Object.fromEntries(Object.entries(this.#processes).map(([name, pid]) => [name, anonymousMemory(pid)])),
    );
  }
}
