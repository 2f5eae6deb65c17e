import { MarsadError } from "#runtime/errors.ts";

/**
 * One publish after the other for each gateway. aedes takes a message that another, later one has overtaken (QoS 0 has
 * fewer steps than QoS 1, retained more) for a duplicate and drops it.
 */
export class PublishQueue {
  readonly #limit: number;
  readonly #queues = new Map<string, { last: Promise<void>; length: number }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Messages that wait, of all keys. */
  get length(): number {
    let length = 0;
    for (const queue of this.#queues.values()) length += queue.length;
    return length;
  }

  /**
   * Runs `publish` after those before it with the same `key`; settles as it does.
   * @throws MarsadError REFUSED when too many wait already: the gateway does not read.
   */
  async run(key: string, publish: () => Promise<void>): Promise<void> {
    const queue = this.#queues.get(key) ?? { last: Promise.resolve(), length: 0 };
    if (queue.length >= this.#limit) {
      throw new MarsadError("REFUSED", `${queue.length} messages to ${key} are waiting already`);
    }
    this.#queues.set(key, queue);
    queue.length++;
    const mine = queue.last.then(publish);
    queue.last = mine.catch(() => {});
    try {
      await mine;
    } finally {
      queue.length--;
      if (queue.length === 0) this.#queues.delete(key);
    }
  }
}
