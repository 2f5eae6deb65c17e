import type { Log } from "#runtime/log.ts";
import { oncePer } from "#runtime/log.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { BrokerMetrics } from "./metrics.ts";

/** Why the broker refuses or closes a connection: a small fixed set, the label of a metric. */
export const refusalReasons = {
  connections: "There are too many connections.",
  connecting: "Too many connections are waiting to be accepted; the oldest goes.",
  tls: "The TLS handshake failed, or took too long.",
  "connect-timeout": "CONNECT did not arrive in time.",
  "not-connect": "The first packet is not a CONNECT.",
  "connect-too-large": "The CONNECT is too large.",
  "client-id": "The client id is empty although the session is to be kept, or it is too long.",
  credentials: "Unknown name or wrong password.",
  unavailable: "Credentials could not be checked now.",
  "gateway-connections": "The gateway has too many connections.",
  will: "The will is not for the gateway's own status, or it is too large.",
  malformed: "The packet cannot be read.",
  protocol: "The packet or the protocol version is not allowed here.",
  "too-large": "The packet is too large.",
  "qos-2": "Readings and births are taken at QoS 0 and 1, or too many QoS 2 publishes are unfinished.",
  "wrong-topic": "The gateway may not publish there.",
  "topic-levels": "The topic or filter has too many levels.",
  keepalive: "Nothing came for one and a half times the keepalive.",
  "slow-reader": "The client does not read what it is sent.",
  "queue-full": "The client does not acknowledge what it is sent.",
  internal: "The broker could not go on with this connection.",
} as const;
export type RefusalReason = keyof typeof refusalReasons;

/** Counts every refusal, and logs it at most once in 10 s for each gateway and reason. */
export class Refusals {
  readonly #log: Log;
  readonly #metrics: BrokerMetrics;
  readonly #sometimes = oncePer();

  constructor(log: Log, metrics: BrokerMetrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  record(
    reason: RefusalReason,
    facts: {
      gateway?: GatewayIdentity | undefined;
      remote?: string | undefined;
      detail?: string | undefined;
    },
  ): void {
    this.#metrics.refused(reason);
    const held = this.#sometimes(`${facts.gateway?.name ?? ""} ${reason}`);
    if (held === undefined) return;
    this.#log.warn(
      {
        reason,
        why: refusalReasons[reason],
        gateway: facts.gateway?.name,
        remote: facts.remote,
        detail: facts.detail,
        held,
      },
      "Connection refused.",
    );
  }
}

/** The reason behind an error with which aedes closes a client; undefined when the connection simply ended. */
export function reasonOf(error: Error): RefusalReason | undefined {
  const { message } = error;
  if (message === "connection closed") return undefined;
  if (message === "topic has too many levels") return "topic-levels";
  if (message === "drain timeout") return "slow-reader";
  if (message === queueFullMessage) return "queue-full";
  if (message.startsWith("maxInflightInbound exceeded")) return "qos-2";
  if (message === "Invalid protocol" || message === "unacceptable protocol version") return "protocol";
  return "malformed";
}

/** Thrown by `SessionStore.outgoingUpdate`; aedes then closes the client. */
export const queueFullMessage = "the session's queue is full";
