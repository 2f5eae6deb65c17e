/** Milliseconds between two requests to a gateway that does not answer: doubled each time, up to ten minutes. */
const firstWait = 10_000;
const longestWait = 600_000;

/** When to ask a gateway who is behind it: one request outstanding each, with back-off. Time is passed in. */
export class RebirthRequests {
  readonly #outstanding = new Map<string, { askAgainAt: number; wait: number }>();

  /** A reading of an unknown sensor came: should the gateway be asked now? */
  isDue(gateway: string, now: number): boolean {
    const request = this.#outstanding.get(gateway);
    if (!request) {
      this.#outstanding.set(gateway, { askAgainAt: now + firstWait, wait: firstWait });
      return true;
    }
    if (now < request.askAgainAt) return false;
    request.wait = Math.min(request.wait * 2, longestWait);
    request.askAgainAt = now + request.wait;
    return true;
  }

  /**
   * A birth came. The back-off stays until it runs out: a birth that does not name the sensor is no reason to ask at
   * once again.
   */
  forget(gateway: string, now: number): void {
    const request = this.#outstanding.get(gateway);
    if (request && now >= request.askAgainAt) this.#outstanding.delete(gateway);
  }
}
