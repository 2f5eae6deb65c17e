import type { UplinkChannel } from "#telemetry/topic.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";

/** One gateway's connection, as ingest sees it. Messages of a session are acknowledged in the order they came. */
export interface UplinkSession {
  readonly gateway: GatewayIdentity;
  /**
   * The oldest `count` taken messages that were not acknowledged are on disk: their PUBACKs go out, gathered into one write.
   * Does nothing for a session that has ended.
   */
  acknowledge(count: number): void;
  /** After a `false` from the handler: offer the held message again. */
  resume(): void;
}

/**
 * A publish to `up/+` or `birth`, before any PUBACK. `payload` is valid during the call only.
 * @returns false when it cannot be taken now; the broker keeps it, within the session's bound on bytes in flight, and
 *   offers it again after `session.resume()`. Later readings of that session wait behind it; a birth passes.
 */
export type UplinkHandler = (session: UplinkSession, channel: UplinkChannel, payload: Uint8Array) => boolean;
