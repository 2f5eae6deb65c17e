import { randomUUID } from "node:crypto";
import type { Aedes, AedesOptions, AuthenticateError, Client, ConnectPacket, PublishPacket } from "aedes";
import { type Log, oncePer } from "#runtime/log.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import { topicPrefix } from "#telemetry/topic.ts";
import { type Authorize, isReserved } from "./acl.ts";
import { type Admission, type Authenticate, decideAdmission, returnCodes } from "./admission.ts";
import type { AedesPort } from "./aedes-port.ts";
import type { ClientId } from "./aedes-types.ts";
import type { Connection } from "./connection.ts";
import type { Copies } from "./copies.ts";
import type { BrokerLimits } from "./limits.ts";
import type { BrokerCounts } from "./metrics.ts";
import { reasonOf } from "./refusals.ts";

export interface HookParts {
  readonly limits: BrokerLimits;
  readonly counts: BrokerCounts;
  readonly copies: Copies;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  readonly log: Log;
  readonly onStatus: ((gateway: GatewayIdentity, payload: Uint8Array) => void) | undefined;
  /** May `connection` become one of the gateway's? */
  readonly admit: (connection: Connection, gateway: GatewayIdentity, clientId: string) => boolean;
}

interface Verdict {
  readonly admission: Admission;
  /** As the client asked for; 0 means none. */
  readonly keepalive_s: number;
}

/** Excerpts of topics in logs and nacks. */
const topicExcerptLength = 200;

/** The decisions that aedes asks for. */
export class AedesHooks {
  readonly #parts: HookParts;
  readonly #verdicts = new WeakMap<Client, Verdict>();
  readonly #sometimes = oncePer();

  constructor(parts: HookParts) {
    this.#parts = parts;
  }

  options(): AedesOptions {
    return {
      preConnect: (client, packet, done) => {
        // An unknown version is aedes' to refuse: it knows the CONNACK for it.
        if (packet.protocolVersion !== 3 && packet.protocolVersion !== 4) return done(null, true);
        void this.#decide(client, packet, () => done(null, true));
      },
      authenticate: (client, _name, _password, done) => {
        const admission = this.#verdicts.get(client)?.admission;
        if (admission?.ok) return done(null, true);
        const { reason, returnCode } = admission ?? {
          reason: "internal",
          returnCode: returnCodes.unavailable,
        };
        connectionOf(client).note(reason);
        done(refusal(reason, returnCode), false);
      },
      authorizePublish: (client, packet, done) => {
        const refusal = client === null ? undefined : this.#refusePublish(client, packet);
        done(refusal === undefined ? null : new Error(refusal));
      },
      authorizeSubscribe: (client, subscription, done) => {
        const { filters } = connectionOf(client);
        const { topic } = subscription;
        const fits = filters.has(topic) || filters.size < this.#parts.limits.subscriptions;
        if (!fits || !this.maySubscribe(client, topic)) {
          this.#parts.counts.deniedSubscriptions++;
          return done(null, null);
        }
        filters.add(topic);
        this.#parts.copies.subscribe(connectionOf(client), topic);
        done(null, subscription);
      },
      authorizeForward: (client, packet) => {
        const connection = connectionOf(client);
        const slow = connection.outputBacklog >= this.#parts.limits.outputBytes;
        // Retained and queued messages are sent one by one, each after the last was taken.
        if (!slow || packet.retain || !client.connected) return packet;
        if (packet.qos === 0) {
          this.#parts.counts.subscriberMessagesDropped++;
          return null;
        }
        // Its queue, if its session is kept, has the message.
        connection.refuse("slow-reader");
        return packet;
      },
    };
  }

  /** Hears of what aedes does. */
  listenTo(aedes: Aedes): void {
    aedes.on("connackSent", ({ returnCode }, client) => {
      const verdict = this.#verdicts.get(client);
      if (returnCode !== 0 || verdict === undefined) return;
      connectionOf(client).accept(verdict.keepalive_s);
    });
    aedes.on("unsubscribe", (filters, client) => {
      const connection = connectionOf(client);
      for (const filter of filters) {
        connection.filters.delete(filter);
        this.#parts.copies.unsubscribe(connection, filter);
      }
    });
    aedes.on("clientError", noteError);
    aedes.on("connectionError", noteError);
    (aedes as NodeJS.EventEmitter).on("error", (error) => {
      const held = this.#sometimes("aedes");
      if (held !== undefined) this.#parts.log.error({ err: error, held }, "aedes failed.");
    });
  }

  /** May this client (of aedes) hold `filter`? */
  maySubscribe(client: ClientId, filter: string): boolean {
    const { gateway } = connectionOf(client as Client);
    return (
      gateway !== undefined &&
      filter.length <= this.#parts.limits.filterLength &&
      !isReserved(filter) &&
      this.#parts.authorize(gateway, "subscribe", filter)
    );
  }

  async #decide(client: Client, packet: ConnectPacket, decided: () => void): Promise<void> {
    const connection = connectionOf(client);
    const admission = await this.#admission(connection, packet);
    this.#verdicts.set(client, { admission, keepalive_s: packet.keepalive ?? 0 });
    // The connection watches the keepalive itself: aedes sees none of the readings.
    packet.keepalive = 0;
    if (admission.ok) {
      connection.identify(admission.gateway, admission.clientId);
      packet.clientId = admission.clientId;
    } else {
      // aedes cleans up after a refused client by its id, so that must not be someone's.
      packet.clientId = `/${randomUUID()}`;
      packet.clean = true;
    }
    decided();
  }

  async #admission(connection: Connection, packet: ConnectPacket): Promise<Admission> {
    try {
      const admission = await decideAdmission(packet, this.#parts);
      if (connection.ended) return { ok: false, reason: "internal", returnCode: returnCodes.unavailable };
      if (!admission.ok || this.#parts.admit(connection, admission.gateway, admission.clientId)) {
        return admission;
      }
      return { ok: false, reason: "gateway-connections", returnCode: returnCodes.unavailable };
    } catch (error) {
      const held = this.#sometimes("authenticate");
      if (held !== undefined) this.#parts.log.error({ err: error, held }, "Credentials cannot be checked.");
      return { ok: false, reason: "unavailable", returnCode: returnCodes.unavailable };
    }
  }

  /** Refuses what may not be published, closing the connection; undefined when it may. */
  #refusePublish(client: Client, packet: PublishPacket): string | undefined {
    const { authorize, limits } = this.#parts;
    const connection = connectionOf(client);
    const { gateway } = connection;
    if (gateway === undefined) return "not accepted";
    const { topic } = packet;
    // Its will, which was looked at when it connected; there is no connection left to close.
    if (client.closed)
      return isReserved(topic) || !authorize(gateway, "will", topic) ? "wrong topic" : undefined;
    const bytes = Buffer.from(topic.slice(0, topicExcerptLength));
    if (isReserved(topic) || !authorize(gateway, "publish", topic)) {
      const detail = `"${bytes.toString()}" is not a topic that this gateway may publish to`;
      connection.refuse("wrong-topic", { nack: { reason: "wrong-topic", detail, bytes } });
      return "wrong topic";
    }
    if (packet.retain && packet.payload.length > limits.retainedPayloadBytes) {
      const detail = `a retained message may have at most ${limits.retainedPayloadBytes} bytes of payload`;
      connection.refuse("too-large", { nack: { reason: "too-large", detail, bytes } });
      return "too large";
    }
    if (topic === `${topicPrefix(gateway)}status`) {
      const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
      this.#parts.onStatus?.(gateway, payload);
    }
    return undefined;
  }
}

function connectionOf(client: Client): Connection {
  return (client.conn as AedesPort<Connection>).owner;
}

function noteError(client: Client, error: Error): void {
  const reason = reasonOf(error);
  if (reason !== undefined) connectionOf(client).note(reason, error.message);
}

/** An error that makes aedes answer CONNECT with `returnCode`. */
function refusal(reason: string, returnCode: number): AuthenticateError {
  const error = Object.assign(new Error(reason), { returnCode });
  // aedes' type for it is a `const enum` of a declaration file, which has no values to name.
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment
  return error;
}
