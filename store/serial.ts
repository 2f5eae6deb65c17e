/** Runs one thing after the other, in the order they were asked for: a DuckDB connection is not re-entrant. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // A failure is its caller's; what comes next begins all the same.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
