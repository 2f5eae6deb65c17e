/**
 * Who reads from a snapshot that began before tables were dropped may still look into their blocks: until all of these have ended, no
 * checkpoint may give the blocks to others.
 */
export class Snapshots {
  readonly #running = new Set<object>();
  #before = new Set<object>();

  async during<T>(work: () => Promise<T>): Promise<T> {
    const snapshot = {};
    this.#running.add(snapshot);
    try {
      return await work();
    } finally {
      this.#running.delete(snapshot);
      this.#before.delete(snapshot);
    }
  }

  /** To be called when the transaction is committed that dropped them. */
  tablesWereDropped(): void {
    this.#before = new Set(this.#running);
  }

  get mayCheckpoint(): boolean {
    return this.#before.size === 0;
  }
}
