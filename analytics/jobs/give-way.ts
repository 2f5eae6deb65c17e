import { setTimeout as sleep } from "node:timers/promises";

/** Work in the thread that serves gateways gives way to them after so long, ms, and rests as long as it took: half of that thread is theirs. */
const longest = 2;

/** Called between small pieces of work: lets everybody else have a turn once in a while, and ends the work when it is to end. */
export class GiveWay {
  readonly #signal: AbortSignal;
  #since = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get isDue(): boolean {
    return performance.now() - this.#since > longest;
  }

  async turn(): Promise<void> {
    await sleep(performance.now() - this.#since);
    this.#signal.throwIfAborted();
    this.#since = performance.now();
  }
}
