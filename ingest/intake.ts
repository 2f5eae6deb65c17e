import type { Log } from "#runtime/log.ts";
import { parseBirth } from "#telemetry/birth.ts";
import type { Rejection } from "#telemetry/rejection.ts";
import type { UplinkFormat } from "#telemetry/topic.ts";
import type { Committer } from "./committer.ts";
import { type Decoder, type Header, type Numbering, readHeader } from "./decoder.ts";
import type { Gateways } from "./gateways.ts";
import type { GatewayState } from "./gateway-state.ts";
import type { Group } from "./group.ts";
import type { Notices } from "./notices.ts";
import { partsByReason } from "./refusals.ts";
import type { Registry } from "./registry/registry.ts";
import type { Accept, IngestSession } from "./source.ts";
import { markTables } from "./table-marks.ts";

export interface IntakeOptions {
  readonly group: Group;
  readonly decoder: Decoder;
  readonly committer: Committer;
  readonly gateways: Gateways;
  readonly registry: Registry;
  readonly notices: Notices;
  readonly waitingBytesPerGateway: number;
  readonly sensorsPerGateway: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
}

/**
 * One message at a time from a source into the group: readings into tables, refused ones into dead letters, those of unknown
 * sensors into the waiting room, all of them into the gateway's ledger.
 */
export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  readonly accept: Accept = (session, channel, payload) => {
    const { committer, gateways, group } = this.#options;
    if (!committer.hasRoom) {
      committer.stall(session);
      return false;
    }
    const gateway = gateways.of(session.gateway);
    const taken =
      channel === "birth" ? this.#takeBirth(gateway, session, payload) : this.#takeReadings(gateway, session, channel, payload);
    if (!taken) return false;
    gateway.lastSeen = this.#options.now();
    group.touch(gateway);
    group.acknowledgeAfter(session);
    committer.schedule();
    return true;
  };

  #takeReadings(gateway: GatewayState, session: IngestSession, format: UplinkFormat, payload: Uint8Array): boolean {
    const { decoder, group, waitingBytesPerGateway } = this.#options;
    const now = this.#options.now();
    const header = readHeader(format, payload);
    const { numbering } = header;
    const outbox = numbering && gateway.outbox(numbering.outbox, now);
    if (numbering && outbox?.numbers.covers(numbering.first, numbering.first + numbering.n)) {
      gateway.received += numbering.n;
      gateway.duplicate += numbering.n;
      return true;
    }
    const overlaps = numbering && outbox?.numbers.overlaps(numbering.first, numbering.first + numbering.n);
    const seen = overlaps ? (ordinal: number) => outbox?.numbers.has(numbering.first + ordinal) === true : undefined;

    const mayOverflow = gateway.waitingBytes + payload.length > waitingBytesPerGateway;
    const takeBack = mayOverflow ? markTables(group.tables) : undefined;
    const sender = { agency: gateway.identity.agency, number: gateway.number };
    const { count, rejections } = decoder.decode(sender, format, payload, header.bodyStart, now, seen);
    if (takeBack && rejections.some(({ reason }) => reason === "unknown-sensor")) {
      takeBack();
      gateway.held.add(session);
      this.#askForBirth(gateway, now);
      return false;
    }

    const found = count.accepted + count.seen + count.refused;
    gateway.received += found;
    gateway.duplicate += count.seen;
    if (rejections.length > 0) this.#setAside(gateway, format, payload, rejections, numbering, now);
    this.#settleNumbers(gateway, header, found, payload, now);
    return true;
  }

  /** Marks the batch's numbers as seen if its header tells the truth; the readings themselves are taken in any case. */
  #settleNumbers(gateway: GatewayState, header: Header, found: number, payload: Uint8Array, now: number): void {
    const { numbering } = header;
    if (numbering && numbering.n === found) {
      const outbox = gateway.outbox(numbering.outbox, now);
      outbox.numbers.add(numbering.first, numbering.first + numbering.n);
      this.#options.group.touchOutbox(gateway, outbox);
      return;
    }
    const detail = numbering ? `the header says n=${numbering.n}, the batch has ${found} readings` : header.error;
    if (detail === undefined) return;
    gateway.received += 1;
    const newline = payload.indexOf(0x0a);
    const end = newline === -1 ? payload.length : newline;
    this.#setAside(gateway, "lp", payload, [{ reason: "bad-header", detail, start: 0, end, ordinal: 0 }], undefined, now);
  }

  /** Keeps what cannot be stored: unknown sensors wait, the rest are dead letters, told to the gateway. */
  #setAside(
    gateway: GatewayState,
    channel: UplinkFormat,
    payload: Uint8Array,
    rejections: readonly Rejection[],
    numbering: Numbering | undefined,
    at: number,
  ): void {
    const { group, notices } = this.#options;
    const { name, agency } = gateway.identity;
    for (const part of partsByReason(channel, payload, rejections)) {
      const { reason, detail, readings, bytes } = part;
      if (reason === "unknown-sensor") {
        gateway.waiting += readings;
        gateway.waitingBytes += bytes.length;
        group.addWaiting({ gateway: name, agency, channel, readings, at, bytes });
        this.#askForBirth(gateway, at);
      } else {
        gateway.addRefused(reason, readings);
        group.addDeadLetter({ gateway: name, agency, channel, reason, detail, readings, at, bytes });
      }
    }
    notices.refused(gateway, payload, rejections, numbering);
  }

  #takeBirth(gateway: GatewayState, session: IngestSession, payload: Uint8Array): boolean {
    const { registry, notices, group, sensorsPerGateway, log } = this.#options;
    const now = this.#options.now();
    const parsed = parseBirth(payload, { maxSensors: sensorsPerGateway });
    const { name, agency } = gateway.identity;
    if (!parsed.ok) {
      this.#refuseBirth(gateway, parsed.detail, payload, now);
      return true;
    }
    let outcome: ReturnType<Registry["birth"]>;
    try {
      outcome = registry.birth(gateway.identity, parsed.birth, now);
    } catch (error) {
      log.error({ err: error, gateway: name }, "The registry cannot keep a birth; it is offered again.");
      setTimeout(() => session.resume(), registryRetry).unref();
      return false;
    }
    notices.bornAt(gateway, now);
    const refused = [...parsed.refused, ...outcome.refused];
    for (const { reason, detail, sensor } of refused) {
      const bytes = Buffer.from(JSON.stringify({ sensor }));
      group.addDeadLetter({ gateway: name, agency, channel: "birth", reason, detail, readings: 0, at: now, bytes });
      notices.refused(gateway, bytes, [{ reason, detail, start: 0, end: bytes.length, ordinal: 0 }], undefined);
    }
    if (outcome.changed.length > 0) log.info({ gateway: name, sensors: outcome.changed.length }, "Sensors changed by a birth.");
    return true;
  }

  #refuseBirth(gateway: GatewayState, detail: string, payload: Uint8Array, now: number): void {
    const { group, notices } = this.#options;
    const { name, agency } = gateway.identity;
    const rejection: Rejection = { reason: "bad-birth", detail, start: 0, end: payload.length, ordinal: 0 };
    const bytes = Uint8Array.from(payload);
    group.addDeadLetter({ gateway: name, agency, channel: "birth", reason: "bad-birth", detail, readings: 0, at: now, bytes });
    notices.refused(gateway, payload, [rejection], undefined);
  }

  #askForBirth(gateway: GatewayState, now: number): void {
    this.#options.notices.askForBirth(gateway, now);
  }
}


/** Milliseconds until a birth is offered again that the registry's disk did not take. */
const registryRetry = 1_000;
