/** Every bound of the broker. Nothing in it grows without one of these. */
export interface BrokerLimits {
  /** TCP connections, all together; one more is closed at once. */
  readonly connections: number;
  /** Connections that have not been accepted yet (no CONNACK); with one more, the oldest without a whole CONNECT is closed. */
  readonly connecting: number;
  /** Live connections of one gateway; one more is refused, the older ones stay. */
  readonly connectionsPerGateway: number;
  /** From the TCP connection to the whole CONNECT. */
  readonly connectTimeout_ms: number;
  /** Bytes of a CONNECT, header included. */
  readonly connectBytes: number;
  /** Bytes of any later packet, header included. */
  readonly packetBytes: number;
  /** UTF-16 units of a client id. */
  readonly clientIdLength: number;
  /** Levels of a topic or filter. */
  readonly topicLevels: number;
  /** UTF-16 units of a filter. */
  readonly filterLength: number;
  /** Filters of one connection. */
  readonly subscriptions: number;
  /** Frame bytes of one connection that were taken or are held and have no PUBACK yet; beyond it its socket is paused. */
  readonly inFlightBytes: number;
  /** Frame bytes held for all connections; beyond it a connection pauses as soon as it holds one. */
  readonly heldBytes: number;
  /** Bytes written to one socket that its peer has not taken; beyond it copies are dropped and reading pauses. */
  readonly outputBytes: number;
  /** A peer that takes less than `outputBytes` in this time, with as much waiting for it, is closed. Who stops reading is gone within 10 s. */
  readonly outputTimeout_ms: number;
  /** Bytes of copies for subscribers that wait for their PUBACK, all together; beyond it they are dropped. */
  readonly copyBytes: number;
  /** Unfinished QoS 2 publishes of one connection (never readings: those are QoS 0 or 1). */
  readonly qos2InFlight: number;
  /** Payload bytes of one message that a gateway has retained, its will included. */
  readonly retainedPayloadBytes: number;
  readonly retainedMessages: number;
  /** Topic and payload bytes of all retained messages. */
  readonly retainedBytes: number;
  /** Sessions of one gateway that outlive their connection (clean session = 0); with one more the oldest absent one goes. */
  readonly sessionsPerGateway: number;
  /** Messages queued for one such session; beyond it the newest is dropped. */
  readonly offlineMessages: number;
  /** Topic and payload bytes queued for one such session. */
  readonly offlineBytes: number;
  /** Topic and payload bytes queued for all such sessions. */
  readonly offlineTotalBytes: number;
  /** `publish` calls of the platform that wait for those before them, for one gateway; beyond it they are refused. */
  readonly publishQueue: number;
  /** How long closing waits for PUBACKs that are still owed. */
  readonly closeWait_ms: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

export const defaultBrokerLimits: BrokerLimits = {
  connections: 4096,
  connecting: 512,
  connectionsPerGateway: 8,
  connectTimeout_ms: 5000,
  connectBytes: 64 * KiB,
  packetBytes: 256 * KiB,
  clientIdLength: 128,
  topicLevels: 16,
  filterLength: 512,
  subscriptions: 16,
  inFlightBytes: MiB,
  heldBytes: 64 * MiB,
  outputBytes: 256 * KiB,
  outputTimeout_ms: 7_000,
  copyBytes: 16 * MiB,
  qos2InFlight: 20,
  retainedPayloadBytes: 4 * KiB,
  retainedMessages: 50_000,
  retainedBytes: 32 * MiB,
  sessionsPerGateway: 8,
  offlineMessages: 1000,
  offlineBytes: MiB,
  offlineTotalBytes: 64 * MiB,
  publishQueue: 100,
  closeWait_ms: 1000,
};
