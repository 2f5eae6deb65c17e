/** Runs one thing after the other, in the order they were asked for: a DuckDB connection is not re-entrant. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  /** @param until  When it is aborted before the work's turn has come, the work is not done, and its caller hears the reason at once. */
  async run<T>(work: () => Promise<T>, until?: AbortSignal): Promise<T> {
    until?.throwIfAborted();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => reject(until?.reason);
    until?.addEventListener("abort", giveUp, { once: true });
    const result = this.#last.then(() => {
      until?.throwIfAborted();
      until?.removeEventListener("abort", giveUp);
      return work();
    });
    // A failure is its caller's; what comes next begins all the same.
    this.#last = result.catch(() => undefined);
    return await (until === undefined ? result : Promise.race([result, aborted]));
  }
}
