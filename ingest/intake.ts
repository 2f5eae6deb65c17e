import { decompress } from "#runtime/zstd.ts";
import type { UplinkFormat } from "#telemetry/topic.ts";
import type { Births } from "./births.ts";
import type { Committer } from "./committer.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Decoded, Decoder, Received } from "./decoder.ts";
import type { Gateways } from "./gateways.ts";
import type { GatewayState } from "./gateway-state.ts";
import type { Group } from "./group.ts";
import type { Notices } from "./notices.ts";
import { firstLineEnd, type Header, headerError, readHeader } from "./numbering.ts";
import { partsByReason, rejectedLength } from "./refusals.ts";
import type { Accept, IngestSession } from "./source.ts";
import { markTables } from "./table-marks.ts";
import type { WaitingRoom } from "./waiting-room.ts";

/** Bytes that an `lp-zstd` payload may have when decompressed: four times the largest packet. */
const maxUnpackedBytes = 1024 * 1024;

export interface IntakeOptions {
  readonly group: Group;
  readonly decoder: Decoder;
  readonly committer: Committer;
  readonly gateways: Gateways;
  readonly births: Births;
  readonly waitingRoom: WaitingRoom;
  readonly deadLetters: DeadLetters;
  readonly notices: Notices;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * One message at a time from a source into the group: readings into tables, refused ones into dead letters, those of unknown
 * sensors into the waiting room, all of them into the gateway's ledger.
 */
export class Intake {
  readonly #options: IntakeOptions;
  #closed = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  readonly accept: Accept = (session, channel, payload) => {
    const { births, committer, gateways, group, now } = this.#options;
    if (this.#closed) return false;
    if (!committer.hasRoom()) {
      committer.stalled.add(session);
      return false;
    }
    const gateway = gateways.sender(session.gateway);
    const at = now();
    const taken =
      channel === "birth"
        ? births.take(gateway, payload, at)
        : this.#takeReadings(session, gateway, channel, payload, at);
    if (!taken) {
      gateway.held.add(session);
      return false;
    }
    gateway.lastSeen = at;
    group.acknowledgeAfter(session);
    committer.schedule();
    return true;
  };

  /** Nothing is taken from now on. */
  close(): void {
    this.#closed = true;
  }

  #takeReadings(
    session: IngestSession,
    gateway: GatewayState,
    channel: UplinkFormat,
    sent: Uint8Array,
    at: number,
  ): boolean {
    if (gateway.replaying) return false;
    const { group } = this.#options;
    let payload = sent;
    if (channel === "lp-zstd") {
      const unpacked = decompress(sent, maxUnpackedBytes);
      if (!unpacked.ok) {
        this.#refuseWhole(
          session,
          gateway,
          channel,
          sent,
          unpacked.tooLarge ? "too-large" : "syntax",
          unpacked.why,
          at,
        );
        return true;
      }
      payload = unpacked.bytes;
    }
    // What was inside is what is kept of refused and waiting readings: they are decoded again as lines.
    const format = channel === "lp-zstd" ? "lp" : channel;
    const header = readHeader(format, payload);
    const { agency } = gateway.identity;
    const received = { agency, gateway: gateway.number, format, payload, start: header.bodyStart, at };
    const seen = this.#seenBefore(gateway, header, received);
    const decoded = seen === "all" ? undefined : this.#decode(gateway, received, seen);
    if (decoded === "no-room") return false;

    const count = decoded?.count ?? { accepted: 0, seen: header.numbering?.n ?? 0, refused: 0 };
    const found = count.accepted + count.seen + count.refused;
    gateway.received += found;
    gateway.duplicate += count.seen;
    if (found > 0) group.touch(gateway);
    if (decoded && decoded.rejections.length > 0) this.#setAside(session, gateway, received, decoded, header);
    this.#settleNumbers(session, gateway, header, found, payload, at);
    return true;
  }

  /**
   * Which readings of a numbered batch were kept before: all, those that the function says, or none (undefined). A header that
   * miscounts its readings says nothing about which is which; the store will know those that come again.
   */
  #seenBefore(
    gateway: GatewayState,
    { numbering }: Header,
    received: Received,
  ): "all" | ((ordinal: number) => boolean) | undefined {
    const numbers = numbering && gateway.outboxes.get(numbering.outbox)?.numbers;
    if (!numbers?.overlaps(numbering!.first, numbering!.first + numbering!.n)) return undefined;
    const { first, n } = numbering!;
    if (this.#options.decoder.countReadings(received) !== n) return undefined;
    if (numbers.covers(first, first + n)) return "all";
    return (ordinal) => numbers.has(first + ordinal);
  }

  /** Into the group, or not at all when the waiting room has no room for the readings of unknown sensors. */
  #decode(
    gateway: GatewayState,
    received: Received,
    seen: ((ordinal: number) => boolean) | undefined,
  ): Decoded | "no-room" {
    const { decoder, group, notices, waitingRoom } = this.#options;
    // A resolved SenML record can be longer than it came.
    const bounded = received.format !== "senml";
    if (bounded && waitingRoom.hasRoom(gateway, received.payload.length))
      return decoder.decode(received, seen);
    const takeBack = markTables(group.tables);
    const decoded = decoder.decode(received, seen);
    const unknown = rejectedLength(decoded.rejections, "unknown-sensor");
    if (unknown === 0 || waitingRoom.hasRoom(gateway, unknown)) return decoded;
    takeBack();
    notices.askForBirth(gateway);
    return "no-room";
  }

  /** A payload that could not be opened: one refused reading. */
  #refuseWhole(
    session: IngestSession,
    gateway: GatewayState,
    channel: UplinkFormat,
    payload: Uint8Array,
    reason: "syntax" | "too-large",
    why: string,
    at: number,
  ): void {
    const { deadLetters, group, notices } = this.#options;
    const detail = `the payload ${why}`;
    const bytes = new Uint8Array(payload);
    gateway.received += 1;
    group.touch(gateway);
    deadLetters.add(gateway, {
      agency: gateway.identity.agency,
      channel,
      reason,
      detail,
      readings: 1,
      at,
      bytes,
    });
    notices.refused(gateway, payload, [{ reason, detail, start: 0, end: payload.length, ordinal: 0 }]);
    session.setAside?.({ reason, detail, readings: 1 });
  }

  /** Keeps what cannot be stored: unknown sensors wait, the rest are dead letters, told to the gateway. */
  #setAside(
    session: IngestSession,
    gateway: GatewayState,
    { agency, format, payload, at }: Received,
    decoded: Decoded,
    header: Header,
  ): void {
    const { deadLetters, notices, waitingRoom } = this.#options;
    for (const { reason, detail, readings, bytes } of partsByReason(format, payload, decoded.rejections)) {
      if (reason === "unknown-sensor") {
        waitingRoom.add(gateway, {
          gateway: gateway.identity.name,
          agency,
          channel: format,
          readings,
          at,
          bytes,
        });
        notices.askForBirth(gateway);
      } else {
        deadLetters.add(gateway, { agency, channel: format, reason, detail, readings, at, bytes });
      }
      session.setAside?.({ reason, detail, readings });
    }
    const refused = decoded.rejections.filter(({ reason }) => reason !== "unknown-sensor");
    notices.refused(gateway, payload, refused, header.numbering);
  }

  /** Marks the batch's numbers as seen if its header tells the truth; a bad header is refused as one reading more. */
  #settleNumbers(
    session: IngestSession,
    gateway: GatewayState,
    header: Header,
    found: number,
    payload: Uint8Array,
    at: number,
  ): void {
    const { deadLetters, group, notices } = this.#options;
    const { numbering } = header;
    const detail = headerError(header, found);
    if (detail !== undefined) {
      const rejection = {
        reason: "bad-header",
        detail,
        start: 0,
        end: firstLineEnd(payload),
        ordinal: 0,
      } as const;
      const { agency } = gateway.identity;
      const bytes = new Uint8Array(payload.subarray(0, rejection.end));
      gateway.received += 1;
      deadLetters.add(gateway, {
        agency,
        channel: "lp",
        reason: "bad-header",
        detail,
        readings: 1,
        at,
        bytes,
      });
      notices.refused(gateway, payload, [rejection]);
      session.setAside?.({ reason: "bad-header", detail, readings: 1 });
    } else if (numbering) {
      const { outbox, forgotten } = gateway.outboxes.use(numbering.outbox, at);
      outbox.numbers.add(numbering.first, numbering.first + numbering.n);
      group.touchOutbox(gateway, outbox);
      if (forgotten) group.forgetOutbox(gateway, forgotten);
    }
  }
}
