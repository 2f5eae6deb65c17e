import type { OutboxRecord } from "./journal/messages.ts";
import { type Interval, IntervalSet } from "./outbox-intervals.ts";

/** Outboxes remembered for a gateway; each factory reset of an agent makes one. The least recently used is forgotten first. */
export const outboxesKept = 16;

/** A header may name any number; what it makes missing stays a number that can be summed. */
const mostMissing = 1e12;

/** The reading numbers seen of one outbox. */
export interface Outbox {
  readonly id: string;
  readonly numbers: IntervalSet;
  /** Milliseconds since 1970; rises from use to use, whatever the clock does. */
  lastUsed: number;
}

/** A gateway's outboxes. */
export class Outboxes {
  /** The least recently used first. */
  readonly #byId = new Map<string, Outbox>();
  #lastUse = 0;

  get(id: string): Outbox | undefined {
    return this.#byId.get(id);
  }

  /** The outbox, made if need be, as the one most recently used. @returns also the one that was forgotten for it. */
  use(id: string, now: number): { outbox: Outbox; forgotten: Outbox | undefined } {
    const known = this.#byId.get(id);
    this.#lastUse = Math.max(now, this.#lastUse + 1);
    const outbox = known ?? { id, numbers: new IntervalSet(), lastUsed: 0 };
    outbox.lastUsed = this.#lastUse;
    this.#byId.delete(id);
    this.#byId.set(id, outbox);
    return { outbox, forgotten: known ? undefined : this.#forgetBeyondBound() };
  }

  /** Reading numbers below the highest seen that have not arrived; of all outboxes, 10^12 at most. */
  missing(): number {
    let missing = 0;
    for (const { numbers } of this.#byId.values()) missing += numbers.missing;
    return Math.min(missing, mostMissing);
  }

  /** The first gaps. */
  gaps(limit: number): ({ readonly outbox: string } & Interval)[] {
    return Array.from(this.#byId.values())
      .flatMap(({ id, numbers }) => numbers.gaps(limit).map((gap) => ({ outbox: id, ...gap })))
      .slice(0, limit);
  }

  /** @throws MarsadError QUEUE_CORRUPT */
  restore(records: readonly OutboxRecord[]): void {
    for (const { outbox: id, intervals, lastUsed } of records.toSorted((a, b) => a.lastUsed - b.lastUsed)) {
      this.#byId.set(id, { id, numbers: IntervalSet.fromJSON(intervals), lastUsed });
      this.#lastUse = lastUsed;
    }
  }

  #forgetBeyondBound(): Outbox | undefined {
    if (this.#byId.size <= outboxesKept) return undefined;
    const [oldest] = this.#byId.values();
    if (oldest) this.#byId.delete(oldest.id);
    return oldest;
  }
}
