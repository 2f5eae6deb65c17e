/** Milliseconds between two requests to a gateway that does not answer: doubled each time, up to ten minutes. */
const firstWait = 10_000;
const longestWait = 600_000;

interface Request {
  askAgainAt: number;
  wait: number;
  answered: boolean;
}

/** When to ask a gateway who is behind it: one request outstanding each, with back-off. Times are of a clock that is never set. */
export class RebirthRequests {
  readonly #last = new Map<string, Request>();

  /** A reading of an unknown sensor came: should the gateway be asked now? */
  isDue(gateway: string, now: number): boolean {
    const last = this.#last.get(gateway);
    if (last && now < last.askAgainAt) return false;
    const wait = last && !last.answered ? Math.min(last.wait * 2, longestWait) : firstWait;
    this.#last.set(gateway, { askAgainAt: now + wait, wait, answered: false });
    return true;
  }

  /** A birth came. One that does not name the sensor is no reason to ask again at once: the wait goes on. */
  answered(gateway: string): void {
    const last = this.#last.get(gateway);
    if (last) last.answered = true;
  }
}
