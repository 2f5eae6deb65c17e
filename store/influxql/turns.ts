import { setImmediate as breath } from "node:timers/promises";

/** Milliseconds for which long work may keep others of its thread waiting. */
const turn_ms = 10;

/** Turns of work whose pieces cost nobody knows how much: told by the clock. */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  #begun = performance.now();

  /** @param signal  Ends it. */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** To be asked after each piece; then `giveWay`. */
  get isOver(): boolean {
    return performance.now() - this.#begun > turn_ms;
  }

  async giveWay(): Promise<void> {
    this.#signal?.throwIfAborted();
    await breath();
    this.#signal?.throwIfAborted();
    this.#begun = performance.now();
  }
}
