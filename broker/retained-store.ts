import type { AedesPacket } from "./aedes-types.ts";
import { filterMatches } from "./topic-filter.ts";

/**
 * Retained messages, in memory, bounded by number and bytes. Kept by the first three levels of their topic (one gateway),
 * so that a gateway's SUBSCRIBE to its own `down/#` looks at its own messages and not at everyone's.
 */
export class RetainedStore {
  readonly #limits: { retainedMessages: number; retainedBytes: number };
  readonly #byGateway = new Map<string, Map<string, AedesPacket>>();
  #messages = 0;
  #bytes = 0;

  constructor(limits: { retainedMessages: number; retainedBytes: number }) {
    this.#limits = limits;
  }

  get messages(): number {
    return this.#messages;
  }

  /** Topic and payload bytes of all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a copy of `packet` for its topic, or forgets the topic's when the payload is empty. Returns false when full. */
  store(packet: AedesPacket): boolean {
    const gateway = firstLevels(packet.topic);
    const messages = this.#byGateway.get(gateway);
    const former = messages?.get(packet.topic);
    const messagesAfter = this.#messages + (former === undefined ? 1 : 0);
    const bytesAfter = this.#bytes + size(packet) - (former === undefined ? 0 : size(former));
    if (packet.payload.length === 0) {
      if (messages === undefined || former === undefined) return true;
      messages.delete(packet.topic);
      if (messages.size === 0) this.#byGateway.delete(gateway);
      this.#messages--;
      this.#bytes -= size(former);
      return true;
    }
    if (messagesAfter > this.#limits.retainedMessages || bytesAfter > this.#limits.retainedBytes)
      return false;
    this.#messages = messagesAfter;
    this.#bytes = bytesAfter;
    const kept = { ...packet, payload: ownCopy(packet.payload) };
    if (messages === undefined) this.#byGateway.set(gateway, new Map([[packet.topic, kept]]));
    else messages.set(packet.topic, kept);
    return true;
  }

  /** The messages that match any of `filters`, each once. */
  *match(filters: readonly string[]): Generator<AedesPacket> {
    const gateways = new Set(filters.map(firstLevels));
    const scanned = [...gateways].some((levels) => /[+#]/.test(levels)) ? this.#byGateway.keys() : gateways;
    for (const gateway of scanned) {
      for (const [topic, packet] of this.#byGateway.get(gateway) ?? []) {
        if (filters.some((filter) => filterMatches(filter, topic))) yield packet;
      }
    }
  }
}

function firstLevels(topic: string): string {
  return topic.split("/", 3).join("/");
}

/** Not a view of everything that was read from the socket at once, nor of Node's pool, of which a few bytes would hold 8 KiB. */
function ownCopy(payload: Uint8Array | string): Buffer {
  const copy = Buffer.allocUnsafeSlow(Buffer.byteLength(payload));
  if (typeof payload === "string") copy.write(payload);
  else copy.set(payload);
  return copy;
}

function size(packet: AedesPacket): number {
  return Buffer.byteLength(packet.topic) + packet.payload.length;
}
