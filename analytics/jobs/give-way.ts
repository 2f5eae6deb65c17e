import { setImmediate } from "node:timers/promises";

/** Work in the thread that serves gateways gives way to them after so long, ms. */
const longest = 5;

/** Called between small pieces of work: lets everybody else have a turn once in a while. */
export class GiveWay {
  #since = performance.now();

  get isDue(): boolean {
    return performance.now() - this.#since > longest;
  }

  async turn(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
