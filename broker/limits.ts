/** A bound, and what happens at it. */
interface Limit {
  readonly value: number;
  readonly description: string;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** Every bound of the broker. Nothing in it grows without one of these. A name says its unit: `…Bytes`, `…_ms`; the others are numbers of things. docs/configuration.md shows them. */
export const brokerLimits = {
  connections: {
    value: 4096,
    description: "TCP connections, all together; one more is closed at once.",
  },
  connecting: {
    value: 512,
    description:
      "Connections that have not been accepted yet (no CONNACK); with one more, the oldest without a whole CONNECT is closed.",
  },
  connectionsPerGateway: {
    value: 8,
    description: "Live connections of one gateway; one more is refused, the older ones stay.",
  },
  connectTimeout_ms: {
    value: 5000,
    description: "From the TCP connection to the whole CONNECT.",
  },
  connectBytes: {
    value: 64 * KiB,
    description: "Bytes of a CONNECT, header included.",
  },
  packetBytes: {
    value: 256 * KiB,
    description: "Bytes of any later packet, header included.",
  },
  clientIdLength: {
    value: 128,
    description: "UTF-16 units of a client id.",
  },
  topicLevels: {
    value: 16,
    description: "Levels of a topic or filter.",
  },
  filterLength: {
    value: 512,
    description: "UTF-16 units of a filter.",
  },
  subscriptions: {
    value: 16,
    description: "Filters of one connection.",
  },
  inFlightBytes: {
    value: MiB,
    description:
      "Frame bytes of one connection that were taken or are held and have no PUBACK yet; beyond it its socket is paused.",
  },
  heldBytes: {
    value: 64 * MiB,
    description:
      "Frame bytes held for all connections; beyond it a connection pauses as soon as it holds one.",
  },
  outputBytes: {
    value: 256 * KiB,
    description:
      "Bytes written to one socket that its peer has not taken; beyond it copies are dropped and reading pauses.",
  },
  outputTimeout_ms: {
    value: 7_000,
    description:
      "A peer that takes less than `outputBytes` in this time, with as much waiting for it, is closed. Who stops reading is gone within 10 s.",
  },
  copyBytes: {
    value: 16 * MiB,
    description:
      "Bytes of copies for subscribers that wait for their PUBACK, all together; beyond it they are dropped.",
  },
  qos2InFlight: {
    value: 20,
    description: "Unfinished QoS 2 publishes of one connection (never readings: those are QoS 0 or 1).",
  },
  retainedPayloadBytes: {
    value: 4 * KiB,
    description: "Payload bytes of one message that a gateway has retained, its will included.",
  },
  retainedMessages: {
    value: 50_000,
    description: "Retained messages of all gateways; beyond it a new one is delivered and not kept.",
  },
  retainedBytes: {
    value: 32 * MiB,
    description: "Topic and payload bytes of all retained messages.",
  },
  sessionsPerGateway: {
    value: 8,
    description:
      "Sessions of one gateway that outlive their connection (clean session = 0); with one more the oldest absent one goes.",
  },
  offlineMessages: {
    value: 1000,
    description: "Messages queued for one such session; beyond it the newest is dropped.",
  },
  offlineBytes: {
    value: MiB,
    description: "Topic and payload bytes queued for one such session.",
  },
  offlineTotalBytes: {
    value: 64 * MiB,
    description: "Topic and payload bytes queued for all such sessions.",
  },
  publishQueue: {
    value: 100,
    description:
      "`publish` calls of the platform that wait for those before them, for one gateway; beyond it they are refused.",
  },
  closeWait_ms: {
    value: 1000,
    description: "How long closing waits for PUBACKs that are still owed.",
  },
} as const satisfies Readonly<Record<string, Limit>>;

export type BrokerLimits = { readonly [Name in keyof typeof brokerLimits]: number };

export const defaultBrokerLimits = Object.fromEntries(
  Object.entries(brokerLimits).map(([name, { value }]) => [name, value]),
) as BrokerLimits;
