import { ByteBudget } from "./byte-budget.ts";
import type { BrokerCounts } from "./metrics.ts";
import { encodePublish } from "./mqtt-frame.ts";
import { filterMatches } from "./topic-filter.ts";

/** A connection that may be sent copies of the uplink. */
export interface Listener {
  /** Would a copy of so many bytes be written now? Asked before one is made: subscribers that are stuck must cost the hot path nothing. */
  hasRoom(bytes: number): boolean;
  /** Writes `frame`, unless its peer is too slow; returns whether it did. */
  writeCopy(frame: Buffer): boolean;
}

/** One uplink message on its way to those who subscribed to it. */
export interface Copy {
  readonly frame: Buffer;
  readonly listeners: readonly Listener[];
}

/**
 * Who subscribed to the uplink, and the copies that go to them at QoS 0 once the message is acknowledged. They go around
 * aedes, which would spend more on one copy than the whole fast path on the message; and to one listener at most once,
 * however many of its filters match.
 */
export class Copies {
  readonly #filters = new Map<Listener, Set<string>>();
  /** Answers by topic, until a subscription changes. */
  readonly #audiences = new Map<string, readonly Listener[]>();
  readonly #waiting: ByteBudget;
  readonly #counts: BrokerCounts;

  constructor(maxWaitingBytes: number, counts: BrokerCounts) {
    this.#waiting = new ByteBudget(maxWaitingBytes);
    this.#counts = counts;
  }

  /** Of copies that wait for their message's PUBACK. */
  get waitingBytes(): number {
    return this.#waiting.used;
  }

  /** Has anyone subscribed to anything that could be uplink? */
  get any(): boolean {
    return this.#filters.size > 0;
  }

  subscribe(listener: Listener, filter: string): void {
    if (!couldBeUplink(filter)) return;
    const filters = this.#filters.get(listener) ?? new Set();
    this.#filters.set(listener, filters.add(filter));
    this.#audiences.clear();
  }

  unsubscribe(listener: Listener, filter: string): void {
    const filters = this.#filters.get(listener);
    if (!filters?.delete(filter)) return;
    if (filters.size === 0) this.#filters.delete(listener);
    this.#audiences.clear();
  }

  /** The listener's connection is gone. */
  forget(listener: Listener): void {
    if (this.#filters.delete(listener)) this.#audiences.clear();
  }

  /** A copy of `payload` if someone listens to `topic` and there is room; to be given to `send` or `discard`. */
  make(topic: string, payload: Uint8Array): Copy | undefined {
    const listeners = this.#audience(topic);
    if (listeners.length === 0) return undefined;
    let hasRoom = false;
    // Each is asked: it may be stuck from now on.
    for (const listener of listeners) hasRoom = listener.hasRoom(payload.length) || hasRoom;
    if (!hasRoom || this.#waiting.full) {
      this.#counts.copiesDropped += listeners.length;
      return undefined;
    }
    const copy = { frame: encodePublish(Buffer.from(topic), payload), listeners };
    this.#waiting.take(copy.frame.length);
    return copy;
  }

  send(copy: Copy): void {
    this.#waiting.give(copy.frame.length);
    for (const listener of copy.listeners) {
      if (!this.#filters.has(listener)) continue;
      if (listener.writeCopy(copy.frame)) this.#counts.copies++;
      else this.#counts.copiesDropped++;
    }
  }

  discard(copy: Copy): void {
    this.#waiting.give(copy.frame.length);
  }

  #audience(topic: string): readonly Listener[] {
    let audience = this.#audiences.get(topic);
    if (audience === undefined) {
      audience = [...this.#filters]
        .filter(([, filters]) => [...filters].some((filter) => filterMatches(filter, topic)))
        .map(([listener]) => listener);
      this.#audiences.set(topic, audience);
    }
    return audience;
  }
}

/** Can `filter` match `marsad/{agency}/{gateway}/up/{format}` or `…/birth`? A gateway's own `down/#` cannot. */
function couldBeUplink(filter: string): boolean {
  const [root, agency, gateway, channel] = filter.split("/");
  if (root === "#") return true;
  if (root !== "marsad" && root !== "+") return false;
  if (agency === "#" || gateway === "#") return true;
  return channel === "up" || channel === "birth" || channel === "+" || channel === "#";
}
