import type { GatewayIdentity } from "#telemetry/names.ts";
import { type GatewayTopics, type UplinkChannel, topics } from "#telemetry/topic.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { Copies, Copy } from "./copies.ts";
import { InFlight } from "./in-flight.ts";
import type { BrokerCounts } from "./metrics.ts";
import { pubackBytes, writePuback } from "./mqtt-frame.ts";
import type { UplinkHandler, UplinkSession } from "./uplink.ts";

export interface SessionParts {
  readonly gateway: GatewayIdentity;
  readonly onUplink: UplinkHandler;
  readonly inFlightBytes: number;
  readonly heldBudget: ByteBudget;
  readonly copies: Copies;
  readonly counts: BrokerCounts;
  /** Writes to the client; takes over `bytes`. */
  readonly write: (bytes: Buffer) => void;
  /** The bound on bytes in flight is reached (stop reading the client), or no longer. Called on changes only. */
  readonly setFull: (full: boolean) => void;
}

interface HeldMessage {
  readonly channel: UplinkChannel;
  readonly packetId: number;
  readonly payload: Uint8Array;
  readonly frameBytes: number;
  /** Of the process' clock. */
  readonly since: number;
}

/** One connection's uplink: what was taken, what is held, and the PUBACKs owed for it. */
export class Session implements UplinkSession {
  readonly gateway: GatewayIdentity;
  readonly #parts: SessionParts;
  readonly #topics: GatewayTopics;
  readonly #inFlight = new InFlight();
  /** What ingest could not take yet, oldest at `#heldFrom`. */
  #held: HeldMessage[] = [];
  #heldFrom = 0;
  #heldBytes = 0;
  /** Messages taken and messages acknowledged since the beginning: a copy is due when its ordinal is acknowledged. */
  #taken = 0;
  #acknowledged = 0;
  #copies: { ordinal: number; copy: Copy }[] = [];
  /** Packet ids whose PUBACK goes out with the next flush. */
  #ackIds = new Uint16Array(16);
  #ackCount = 0;
  #flushing = false;
  #full = false;
  #ended = false;

  constructor(parts: SessionParts) {
    this.gateway = parts.gateway;
    this.#parts = parts;
    this.#topics = topics(parts.gateway.agency, parts.gateway.name);
  }

  /** Taken messages that are not acknowledged. */
  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** Frame bytes of those. */
  get inFlightBytes(): number {
    return this.#inFlight.bytes;
  }

  /** Messages that ingest could not take yet. */
  get held(): number {
    return this.#held.length - this.#heldFrom;
  }

  /** When the oldest of those came, of the process' clock. */
  get heldSince(): number | undefined {
    return this.#held[this.#heldFrom]?.since;
  }

  /** A publish from the splitter. `payload` is valid during the call only. */
  offer(channel: UplinkChannel, packetId: number, payload: Uint8Array, frameBytes: number): void {
    if (this.#ended) return;
    // A birth passes: it is what readings of unknown sensors, held for want of room, wait for.
    const behindHeld = this.#held.length > this.#heldFrom && channel !== "birth";
    if (behindHeld || !this.#take(channel, packetId, payload, frameBytes)) {
      this.#held.push({
        channel,
        packetId,
        payload: new Uint8Array(payload),
        frameBytes,
        since: performance.now(),
      });
      this.#heldBytes += frameBytes;
      this.#parts.heldBudget.take(frameBytes);
    }
    this.#update();
  }

  /** @throws RangeError for more messages than were taken: a PUBACK for an unknown message would be a lie. */
  acknowledge(count: number): void {
    if (this.#ended) return;
    if (count > this.#inFlight.length) {
      throw new RangeError(`acknowledged ${count} messages, but ${this.#inFlight.length} were taken`);
    }
    if (this.#ackIds.length < this.#ackCount + count) {
      const larger = new Uint16Array(Math.max(2 * this.#ackIds.length, this.#ackCount + count));
      larger.set(this.#ackIds.subarray(0, this.#ackCount));
      this.#ackIds = larger;
    }
    for (let i = 0; i < count; i++) {
      const packetId = this.#inFlight.shift();
      if (packetId !== 0) this.#ackIds[this.#ackCount++] = packetId;
    }
    this.#acknowledged += count;
    if (!this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => this.#flush());
    }
    this.#update();
  }

  resume(): void {
    while (!this.#ended && this.#heldFrom < this.#held.length) {
      const next = this.#held[this.#heldFrom];
      if (next === undefined || !this.#take(next.channel, next.packetId, next.payload, next.frameBytes))
        break;
      // Taking it may have ended the session, which gives all back.
      if (this.#ended) return;
      this.#heldFrom++;
      this.#heldBytes -= next.frameBytes;
      this.#parts.heldBudget.give(next.frameBytes);
    }
    this.#held.splice(0, this.#heldFrom);
    this.#heldFrom = 0;
    this.#update();
  }

  /** The connection is gone: nothing is answered any more. */
  end(): void {
    if (this.#ended) return;
    this.#parts.counts.unacknowledged += this.#inFlight.length + this.#held.length - this.#heldFrom;
    this.#parts.heldBudget.give(this.#heldBytes);
    for (const { copy } of this.#copies) this.#parts.copies.discard(copy);
    this.#setFull(false);
    this.#ended = true;
    this.#held = [];
    this.#heldFrom = 0;
    this.#copies = [];
  }

  #take(channel: UplinkChannel, packetId: number, payload: Uint8Array, frameBytes: number): boolean {
    const { copies, counts, onUplink } = this.#parts;
    this.#inFlight.push(packetId, frameBytes);
    if (!onUplink(this, channel, payload)) {
      if (!this.#ended) this.#inFlight.pop();
      return false;
    }
    this.#taken++;
    counts.uplinkMessages++;
    counts.uplinkBytes += frameBytes;
    if (copies.any && !this.#ended) {
      const topic = channel === "birth" ? this.#topics.birth : this.#topics.up[channel];
      const copy = copies.make(topic, payload);
      if (copy !== undefined) this.#copies.push({ ordinal: this.#taken, copy });
    }
    return true;
  }

  /** One write for all PUBACKs of this turn, then the copies of what they acknowledged. */
  #flush(): void {
    this.#flushing = false;
    if (this.#ended) return;
    if (this.#ackCount > 0) {
      const bytes = Buffer.allocUnsafe(this.#ackCount * pubackBytes);
      for (let i = 0; i < this.#ackCount; i++) writePuback(bytes, i * pubackBytes, this.#ackIds[i] ?? 0);
      this.#parts.counts.pubacks += this.#ackCount;
      this.#ackCount = 0;
      this.#parts.write(bytes);
    }
    if (this.#copies.length > 0) {
      const firstLater = this.#copies.findIndex(({ ordinal }) => ordinal > this.#acknowledged);
      const due = this.#copies.splice(0, firstLater === -1 ? this.#copies.length : firstLater);
      for (const { copy } of due) this.#parts.copies.send(copy);
    }
  }

  #update(): void {
    if (this.#ended) return;
    const holds = this.#held.length > this.#heldFrom;
    this.#setFull(
      this.#inFlight.bytes + this.#heldBytes >= this.#parts.inFlightBytes ||
        (holds && this.#parts.heldBudget.full),
    );
  }

  #setFull(full: boolean): void {
    if (full === this.#full) return;
    this.#full = full;
    this.#parts.counts.pausedSessions += full ? 1 : -1;
    this.#parts.setFull(full);
  }
}
