import { Readable } from "node:stream";
import type { AedesPacket, AedesSubscription, ClientId, MatchedSubscription } from "./aedes-types.ts";
import type { BrokerLimits } from "./limits.ts";
import type { BrokerCounts } from "./metrics.ts";
import { queueFullMessage } from "./refusals.ts";
import { RetainedStore } from "./retained-store.ts";
import { FilterTrie } from "./topic-filter.ts";

export interface SessionStoreParts {
  readonly limits: BrokerLimits;
  readonly counts: BrokerCounts;
  /** Is the client with this id connected? Then its session is not dropped for a newer one. */
  readonly connected: (clientId: string) => boolean;
  /** May this client hold this filter? */
  readonly maySubscribe: (client: ClientId, filter: string) => boolean;
}

interface KeptSession {
  readonly subscriptions: Map<string, AedesSubscription>;
  readonly queue: AedesPacket[];
  bytes: number;
}

/**
 * aedes' persistence: sessions with clean session = 0 and retained messages. In memory, as aedes' own, but bounded: aedes'
 * `queueLimit` does not bound the offline queue, and its sessions never go. What differs otherwise:
 * - only filters that are allowed are kept (aedes offers all of a SUBSCRIBE, those it denied too),
 * - a message is queued once for a session however many of its filters match, and not above the filter's QoS,
 * - what was sent before and is sent again carries DUP.
 * Client ids are `<gateway>/<its own id>`.
 */
export class SessionStore {
  readonly retained: RetainedStore;
  readonly #parts: SessionStoreParts;
  readonly #sessions = new Map<string, KeptSession>();
  /** Session ids by gateway, the one that connected longest ago first. */
  readonly #byGateway = new Map<string, Set<string>>();
  readonly #filters = new FilterTrie<MatchedSubscription>();
  /** Packet ids of QoS 2 publishes that wait for their PUBREL. */
  readonly #incoming = new Map<string, Set<number>>();
  #bytes = 0;

  constructor(parts: SessionStoreParts) {
    this.#parts = parts;
    this.retained = new RetainedStore(parts.limits);
  }

  /** Topic and payload bytes in all queues. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages in all queues. */
  get queued(): number {
    let queued = 0;
    for (const { queue } of this.#sessions.values()) queued += queue.length;
    return queued;
  }

  async setup(): Promise<void> {}

  async storeRetained(packet: AedesPacket): Promise<void> {
    if (!this.retained.store(packet)) this.#parts.counts.retainedRefused++;
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.retained.match(filters));
  }

  async addSubscriptions(client: ClientId, subscriptions: readonly AedesSubscription[]): Promise<void> {
    const allowed = subscriptions.filter(({ topic }) => this.#parts.maySubscribe(client, topic));
    if (allowed.length === 0) return;
    const session = this.#sessions.get(client.id) ?? this.#begin(client.id);
    for (const { topic, qos, rh, rap, nl } of allowed) {
      const { subscriptions } = this.#parts.limits;
      if (session.subscriptions.size >= subscriptions && !session.subscriptions.has(topic)) break;
      session.subscriptions.set(topic, { topic, qos, rh, rap, nl });
      if (qos > 0) this.#filters.set(topic, client.id, { clientId: client.id, topic, qos });
      else this.#filters.delete(topic, client.id);
    }
  }

  async removeSubscriptions(client: ClientId, filters: readonly string[]): Promise<void> {
    const session = this.#sessions.get(client.id);
    if (session === undefined) return;
    for (const filter of filters) {
      session.subscriptions.delete(filter);
      this.#filters.delete(filter, client.id);
    }
  }

  async subscriptionsByClient(client: ClientId): Promise<AedesSubscription[]> {
    const session = this.#sessions.get(client.id);
    if (session === undefined) return [];
    const siblings = this.#byGateway.get(gatewayOf(client.id));
    if (siblings?.delete(client.id)) siblings.add(client.id);
    return [...session.subscriptions.values()];
  }

  /** A clean session begins: nothing of a former one is left. */
  async cleanSubscriptions(client: ClientId): Promise<void> {
    this.#drop(client.id);
  }

  async subscriptionsByTopic(topic: string): Promise<MatchedSubscription[]> {
    const bySession = new Map<string, MatchedSubscription>();
    for (const found of this.#filters.match(topic)) {
      const other = bySession.get(found.clientId);
      if (other === undefined || found.qos > other.qos) bySession.set(found.clientId, found);
    }
    return [...bySession.values()];
  }

  async outgoingEnqueueCombi(
    subscriptions: readonly MatchedSubscription[],
    packet: AedesPacket,
  ): Promise<void> {
    // One copy for all queues: the payload is a view of everything that was read from the socket at once.
    const payload = subscriptions.length > 0 ? Buffer.from(packet.payload) : packet.payload;
    for (const { clientId, qos } of subscriptions) {
      this.#enqueue(clientId, {
        ...packet,
        payload,
        qos: qos < packet.qos ? qos : packet.qos,
        retain: false,
        messageId: undefined,
      });
    }
  }

  async outgoingEnqueue(subscription: { clientId: string }, packet: AedesPacket): Promise<void> {
    this.#enqueue(subscription.clientId, { ...packet, messageId: undefined });
  }

  /** The packet got its packet id, or became a PUBREL. @throws Error when it is not in the queue, which was full. */
  async outgoingUpdate(client: ClientId, packet: AedesPacket): Promise<void> {
    const session = this.#sessions.get(client.id);
    const at =
      session?.queue.findIndex((queued) =>
        packet.cmd === "pubrel"
          ? queued.messageId === packet.messageId
          : queued.brokerId === packet.brokerId && queued.brokerCounter === packet.brokerCounter,
      ) ?? -1;
    const queued = session?.queue[at];
    if (session === undefined || queued === undefined) throw new Error(queueFullMessage);
    if (packet.cmd === "pubrel") {
      this.#account(session, -size(queued));
      session.queue[at] = { ...packet, topic: "", payload: Buffer.alloc(0) };
    } else {
      queued.messageId = packet.messageId;
    }
  }

  async outgoingClearMessageId(client: ClientId, packet: AedesPacket): Promise<AedesPacket | undefined> {
    const session = this.#sessions.get(client.id);
    if (session === undefined || packet.messageId === undefined) return undefined;
    const at = session.queue.findIndex((queued) => queued.messageId === packet.messageId);
    if (at === -1) return undefined;
    const [cleared] = session.queue.splice(at, 1);
    if (cleared !== undefined) this.#account(session, -size(cleared));
    return cleared;
  }

  /** What the session's client has not acknowledged, oldest first. */
  outgoingStream(client: ClientId): Readable {
    const queue = this.#sessions.get(client.id)?.queue ?? [];
    return Readable.from(queue.map((packet) => (wasSent(packet) ? { ...packet, dup: true } : packet)));
  }

  /** @throws Error beyond the bound. */
  async incomingStorePacket(client: ClientId, packet: { messageId: number }): Promise<void> {
    const packetIds = this.#incoming.get(client.id) ?? new Set();
    if (packetIds.size >= this.#parts.limits.qos2InFlight)
      throw new Error("too many unfinished QoS 2 publishes");
    this.#incoming.set(client.id, packetIds.add(packet.messageId));
  }

  /** @throws Error when there is none, which is how aedes asks. */
  async incomingGetPacket(client: ClientId, packet: { messageId: number }): Promise<{ messageId: number }> {
    if (!this.#incoming.get(client.id)?.has(packet.messageId)) throw new Error("no such packet");
    return { messageId: packet.messageId };
  }

  async incomingDelPacket(client: ClientId, packet: { messageId: number }): Promise<void> {
    this.#incoming.get(client.id)?.delete(packet.messageId);
  }

  async cleanIncoming(client: ClientId): Promise<void> {
    this.#incoming.delete(client.id);
  }

  /** A will lives with its connection; aedes stores it for other brokers of a cluster, which there are none of. */
  async putWill(): Promise<void> {}

  async delWill(): Promise<void> {}

  streamWill(): Readable {
    return Readable.from([]);
  }

  #begin(clientId: string): KeptSession {
    const gateway = gatewayOf(clientId);
    const siblings = this.#byGateway.get(gateway) ?? new Set();
    if (siblings.size >= this.#parts.limits.sessionsPerGateway) {
      const absent = [...siblings].find((id) => !this.#parts.connected(id));
      if (absent !== undefined) this.#drop(absent);
    }
    siblings.add(clientId);
    // Dropping the last sibling forgets the gateway.
    this.#byGateway.set(gateway, siblings);
    const session: KeptSession = { subscriptions: new Map(), queue: [], bytes: 0 };
    this.#sessions.set(clientId, session);
    return session;
  }

  #drop(clientId: string): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined) return;
    for (const filter of session.subscriptions.keys()) this.#filters.delete(filter, clientId);
    this.#account(session, -session.bytes);
    this.#sessions.delete(clientId);
    this.#incoming.delete(clientId);
    const gateway = gatewayOf(clientId);
    const siblings = this.#byGateway.get(gateway);
    siblings?.delete(clientId);
    if (siblings?.size === 0) this.#byGateway.delete(gateway);
  }

  #enqueue(clientId: string, packet: AedesPacket): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined) return;
    const { limits, counts } = this.#parts;
    const bytes = size(packet);
    const full =
      session.queue.length >= limits.offlineMessages ||
      session.bytes + bytes > limits.offlineBytes ||
      this.#bytes + bytes > limits.offlineTotalBytes;
    if (full) {
      counts.offlineDropped++;
      return;
    }
    session.queue.push(packet);
    this.#account(session, bytes);
  }

  #account(session: KeptSession, bytes: number): void {
    session.bytes += bytes;
    this.#bytes += bytes;
  }
}

/** Was this publish sent on a former connection? (A PUBREL has no DUP.) */
function wasSent(packet: AedesPacket): boolean {
  return packet.cmd === "publish" && packet.messageId !== undefined;
}

function gatewayOf(clientId: string): string {
  return clientId.slice(0, clientId.indexOf("/"));
}

function size(packet: AedesPacket): number {
  return Buffer.byteLength(packet.topic) + packet.payload.length;
}
