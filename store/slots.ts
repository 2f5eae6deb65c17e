import { MarsadError } from "#runtime/errors.ts";

/** So many at the same time; others wait for their turn, and not too many of them. */
export class Slots {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #words: string;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  /** @param words  what is said to who may not even wait */
  constructor({ most, mostWaiting, words }: { most: number; mostWaiting: number; words: string }) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
    this.#words = words;
  }

  /** Undefined: there is no room for it now. */
  tryRun<T>(work: () => Promise<T>): Promise<T> | undefined {
    return this.#taken < this.#most ? this.run(work) : undefined;
  }

  /** @throws MarsadError REFUSED; the signal's reason when it is aborted before the work's turn has come */
  async run<T>(work: () => Promise<T>, until?: AbortSignal): Promise<T> {
    await this.#enter(until);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken -= 1;
      else next();
    }
  }

  async #enter(until: AbortSignal | undefined): Promise<void> {
    until?.throwIfAborted();
    if (this.#taken < this.#most) {
      this.#taken += 1;
      return;
    }
    if (this.#waiting.length >= this.#mostWaiting) throw new MarsadError("REFUSED", this.#words);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(resolve), 1);
      reject(until?.reason);
    };
    this.#waiting.push(resolve);
    until?.addEventListener("abort", giveUp, { once: true });
    await promise.finally(() => until?.removeEventListener("abort", giveUp));
  }
}
