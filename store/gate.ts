/** Many may share what stays as it is meanwhile; who changes it is alone. Who waits to be alone goes before all who come after. */
export class Gate {
  #sharing = 0;
  #isTaken = false;
  readonly #waiting: { readonly alone: boolean; readonly enter: () => void }[] = [];

  /** Does anybody share it now? */
  get isShared(): boolean {
    return this.#sharing > 0;
  }

  share<T>(work: () => Promise<T>): Promise<T> {
    return this.#pass(false, work);
  }

  /** @param until  When it is aborted before the work's turn has come, the work is not done, and its caller hears the reason. */
  alone<T>(work: () => Promise<T>, until?: AbortSignal): Promise<T> {
    return this.#pass(true, work, until);
  }

  async #pass<T>(alone: boolean, work: () => Promise<T>, until?: AbortSignal): Promise<T> {
    await this.#enter(alone, until);
    try {
      return await work();
    } finally {
      if (alone) this.#isTaken = false;
      else this.#sharing -= 1;
      this.#letIn();
    }
  }

  #enter(alone: boolean, until: AbortSignal | undefined): Promise<void> {
    until?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      reject(until?.reason);
      this.#letIn();
    };
    const enter = (): void => {
      until?.removeEventListener("abort", giveUp);
      resolve();
    };
    const waiting = { alone, enter };
    until?.addEventListener("abort", giveUp, { once: true });
    this.#waiting.push(waiting);
    this.#letIn();
    return promise;
  }

  #letIn(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#isTaken || (next.alone && this.#sharing > 0)) return;
      this.#waiting.shift();
      if (next.alone) this.#isTaken = true;
      else this.#sharing += 1;
      next.enter();
    }
  }
}
