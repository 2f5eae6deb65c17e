import type { GatewayIdentity } from "#telemetry/names.ts";
import type { Reason } from "#telemetry/rejection.ts";
import type { UplinkChannel } from "#telemetry/topic.ts";

/**
 * Where messages come from: the embedded broker's sessions today, a queue's consumers when ingest runs apart. Nothing else in ingest knows which.
 * Taken messages of a session are acknowledged in the order they came.
 */
export interface IngestSession {
  readonly gateway: GatewayIdentity;
  /** The oldest `count` taken and unacknowledged messages of this session are on disk. */
  acknowledge(count: number): void;
  /** After `accept` answered false: offer the held message again. */
  resume(): void;
  /** Hears within `accept`, before it takes a message, what of it is not stored as it came: refused, or waiting (`unknown-sensor`). */
  setAside?(part: SetAside): void;
}

/** Readings of one message that share a fate. */
export interface SetAside {
  readonly reason: Reason;
  /** Of the first of them, for people. */
  readonly detail: string;
  readonly readings: number;
}

/**
 * Takes one message, or answers false: not now, offer it again after `session.resume()`.
 * @param payload  Valid during the call only.
 */
export type Accept = (session: IngestSession, channel: UplinkChannel, payload: Uint8Array) => boolean;

/** Tells a gateway something on its own `down/…` topic; QoS 0, never waits. */
export type Downlink = (gateway: GatewayIdentity, channel: "nack" | "rebirth", payload: string) => void;
