import type { IngestSession } from "./source.ts";

/**
 * Sessions whose next message was not taken. They do not say when they end, so all must be resumed now and then, whether there
 * is a reason or not: those that have ended are let go, the others come back.
 */
export class HeldSessions {
  readonly #sessions = new Set<IngestSession>();

  get size(): number {
    return this.#sessions.size;
  }

  add(session: IngestSession): void {
    this.#sessions.add(session);
  }

  /** Each offers its message again, and is added again if that is not taken either. */
  resume(): void {
    if (this.#sessions.size === 0) return;
    const sessions = Array.from(this.#sessions);
    this.#sessions.clear();
    for (const session of sessions) session.resume();
  }
}
