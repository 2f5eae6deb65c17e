import type { Log } from "#runtime/log.ts";
import { type UplinkFormat, uplinkFormats } from "#telemetry/topic.ts";
import type { Committer } from "./committer.ts";
import type { Decoder } from "./decoder.ts";
import type { Gateways } from "./gateways.ts";
import type { GatewayState } from "./gateway-state.ts";
import type { Group } from "./group.ts";
import type { DeadLetterFilter, Journal, StoredDeadLetter } from "./journal/journal.ts";
import type { WaitingEntry } from "./journal/messages.ts";
import { partsByReason, type RefusedPart } from "./refusals.ts";

/** Bytes read from the journal at a time. */
const readBytes = 1024 * 1024;
const deadLettersAtATime = 200;

export interface ReplayOptions {
  readonly group: Group;
  readonly decoder: Decoder;
  readonly committer: Committer;
  readonly gateways: Gateways;
  readonly journal: Journal;
  readonly now: () => number;
  readonly log: Log;
}

/** Decodes again what could not be stored when it came: waiting readings after a birth, dead letters on request. */
export class Replay {
  readonly #options: ReplayOptions;
  #waitingRun: Promise<void> | undefined;
  #again = false;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  /** The registry changed: everything that waits is tried again. A change during a run starts another. */
  async waiting(): Promise<void> {
    this.#again = true;
    this.#waitingRun ??= this.#runWaiting().finally(() => {
      this.#waitingRun = undefined;
    });
    await this.#waitingRun;
  }

  /** Decodes the dead letters that match; what is refused for the same reason stays as it is. */
  async deadLetters(filter: Omit<DeadLetterFilter, "limit" | "after">): Promise<ReplayCount> {
    const { journal, committer } = this.#options;
    const total: ReplayCount = { tried: 0, accepted: 0, refused: 0 };
    let after: string | undefined = "";
    while (after !== undefined) {
      const letters: StoredDeadLetter[] = await journal.deadLetters({ ...filter, after, limit: deadLettersAtATime });
      for (const letter of letters) {
        if (letter.payload === null || letter.readings === 0 || !isUplinkFormat(letter.channel)) continue;
        await committer.room();
        this.#replayLetter(letter, letter.channel, letter.payload, total);
      }
      after = letters.at(-1)?.id;
    }
    await committer.drain();
    return total;
  }

  async #runWaiting(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      for (const gateway of this.#options.gateways.all()) {
        if (gateway.waiting > 0) await this.#replayWaiting(gateway);
      }
    }
  }

  async #replayWaiting(gateway: GatewayState): Promise<void> {
    const { journal, committer, log } = this.#options;
    await committer.drain(); // what waits in the open group is read from the journal too
    let stored = 0;
    let after: string | undefined;
    for (;;) {
      const entries: WaitingEntry[] = await journal.waiting(gateway.identity.name, after, readBytes);
      for (const entry of entries) {
        await committer.room();
        stored += this.#replayEntry(gateway, entry);
      }
      after = entries.at(-1)?.key;
      if (after === undefined) break;
    }
    if (stored > 0) log.info({ gateway: gateway.identity.name, readings: stored }, "Readings that waited were taken.");
    for (const session of gateway.held) session.resume();
    gateway.held.clear();
  }

  /** @returns readings taken. Synchronous from decoding to accounting, so that the group holds all of it or nothing. */
  #replayEntry(gateway: GatewayState, entry: WaitingEntry): number {
    const { group } = this.#options;
    if (!isUplinkFormat(entry.channel)) return 0;
    const { accepted, parts } = this.#decode(gateway, entry.channel, entry.bytes);
    if (accepted === 0 && parts.every(({ reason }) => reason === "unknown-sensor")) return 0;
    gateway.waiting -= entry.readings;
    gateway.waitingBytes -= entry.bytes.length;
    group.waitingDone(entry.key);
    for (const part of parts) {
      if (part.reason === "unknown-sensor") {
        gateway.waiting += part.readings;
        gateway.waitingBytes += part.bytes.length;
        group.addWaiting({ ...entry, readings: part.readings, bytes: part.bytes });
      } else this.#refuse(gateway, entry.channel, part);
    }
    this.#settle(gateway);
    return accepted;
  }

  #replayLetter(letter: StoredDeadLetter, format: UplinkFormat, payload: Uint8Array, total: ReplayCount): void {
    const { gateways, group } = this.#options;
    const gateway = gateways.of({ name: letter.gateway, agency: letter.agency });
    const { accepted, parts } = this.#decode(gateway, format, payload);
    total.tried += letter.readings;
    total.accepted += accepted;
    total.refused += letter.readings - accepted;
    if (accepted === 0 && parts.every(({ reason }) => reason === letter.reason)) return;
    gateway.addRefused(letter.reason, -letter.readings);
    group.deadLetterDone(letter.id);
    for (const part of parts) {
      if (part.reason === "unknown-sensor") {
        const { readings, bytes } = part;
        gateway.waiting += readings;
        gateway.waitingBytes += bytes.length;
        const { gateway: name, agency } = letter;
        group.addWaiting({ gateway: name, agency, channel: format, readings, at: this.#options.now(), bytes });
      } else this.#refuse(gateway, format, part);
    }
    this.#settle(gateway);
  }

  #decode(gateway: GatewayState, format: UplinkFormat, payload: Uint8Array): { accepted: number; parts: RefusedPart[] } {
    const sender = { agency: gateway.identity.agency, number: gateway.number };
    const { count, rejections } = this.#options.decoder.decode(sender, format, payload, 0, this.#options.now(), undefined);
    return { accepted: count.accepted, parts: partsByReason(format, payload, rejections) };
  }

  #refuse(gateway: GatewayState, channel: UplinkFormat, { reason, detail, readings, bytes }: RefusedPart): void {
    const { name, agency } = gateway.identity;
    const at = this.#options.now();
    gateway.addRefused(reason, readings);
    this.#options.group.addDeadLetter({ gateway: name, agency, channel, reason, detail, readings, at, bytes });
  }

  #settle(gateway: GatewayState): void {
    this.#options.group.touch(gateway);
    this.#options.committer.schedule();
  }
}

/** In readings. */
export interface ReplayCount {
  tried: number;
  accepted: number;
  refused: number;
}

function isUplinkFormat(channel: string): channel is UplinkFormat {
  return uplinkFormats.some((format) => format === channel);
}
