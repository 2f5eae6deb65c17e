import type { Log } from "#runtime/log.ts";
import { isReadingFormat } from "./channels.ts";
import type { Committer } from "./committer.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { decodeAgain } from "./decode-again.ts";
import type { Decoder } from "./decoder.ts";
import type { Gateways } from "./gateways.ts";
import type { GatewayState } from "./gateway-state.ts";
import type { Group } from "./group.ts";
import type { Journal } from "./journal/journal.ts";
import type { WaitingEntry } from "./journal/messages.ts";
import type { Notices } from "./notices.ts";
import { partsByReason } from "./refusals.ts";
import type { WaitingRoom } from "./waiting-room.ts";

/** Bytes read from the journal at a time: what is decoded without leaving the thread to others. */
const readBytes = 256 * 1024;

export interface WaitingReplayOptions {
  readonly group: Group;
  readonly decoder: Decoder;
  readonly committer: Committer;
  readonly gateways: Gateways;
  readonly journal: Pick<Journal, "waiting">;
  readonly waitingRoom: WaitingRoom;
  readonly deadLetters: DeadLetters;
  readonly notices: Notices;
  /** Milliseconds that a reading waits at most. */
  readonly maxWait: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The same, whatever the clock is set by meanwhile: one that jumps ahead makes nothing older. */
  readonly steadyNow: () => number;
  readonly signal: AbortSignal;
  readonly onFailure: (error: unknown) => void;
  readonly log: Log;
}

/**
 * Decodes waiting readings again when their gateway's sensors have changed, in the order in which they came and before the gateway's
 * younger ones; what has waited too long is refused.
 */
export class WaitingReplay {
  readonly #options: WaitingReplayOptions;
  readonly #due = new Set<GatewayState>();
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: WaitingReplayOptions) {
    this.#options = options;
  }

  /** Sensors of this gateway changed: from now on its messages are held until its waiting readings have had their turn. */
  sensorsChanged(gateway: GatewayState): void {
    gateway.replaying ||= gateway.waiting > 0;
    this.#due.add(gateway);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#run().catch(this.#options.onFailure);
  }

  /** Looks through all waiting rooms: sensors may have changed while nobody watched. */
  all(): void {
    for (const gateway of this.#options.gateways.all()) if (gateway.waiting > 0) this.sensorsChanged(gateway);
  }

  /** Looks through the waiting rooms whose oldest entry has waited too long. */
  async expire(): Promise<void> {
    const { gateways, journal } = this.#options;
    for (const gateway of Array.from(gateways.all())) {
      if (gateway.waiting === 0) continue;
      const [oldest] = await journal.waiting(gateway.identity.name, undefined, 1);
      if (oldest && this.#isExpired(oldest)) this.sensorsChanged(gateway);
    }
  }

  /** Resolves when nothing is being replayed. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { gateways, signal } = this.#options;
    try {
      while (this.#due.size > 0) {
        for (const gateway of this.#due) {
          this.#due.delete(gateway);
          if (gateway.waiting > 0) await this.#replay(gateway);
          if (signal.aborted) return;
          // A change meanwhile has made it due again.
          gateway.replaying = this.#due.has(gateway) && gateway.waiting > 0;
          gateway.held.resume();
        }
        // There may be room now for others, too.
        for (const gateway of gateways.all()) gateway.held.resume();
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #replay(gateway: GatewayState): Promise<void> {
    const { journal, committer, log, signal } = this.#options;
    await committer.settled(); // what waits in the group is read from the journal too
    let accepted = 0;
    let after: string | undefined;
    while (!signal.aborted) {
      const entries = await journal.waiting(gateway.identity.name, after, readBytes);
      await committer.room();
      for (const entry of entries) accepted += this.#replayEntry(gateway, entry);
      after = entries.at(-1)?.key;
      if (after === undefined) break;
    }
    if (accepted > 0)
      log.info({ gateway: gateway.identity.name, readings: accepted }, "Readings that waited were taken.");
  }

  /** @returns readings taken. Synchronous from decoding to accounting, so that the group holds all of it or nothing. */
  #replayEntry(gateway: GatewayState, entry: WaitingEntry): number {
    const { committer, deadLetters, decoder, group, notices, now, waitingRoom } = this.#options;
    const { agency, at, bytes: payload, channel: format } = entry;
    if (!isReadingFormat(format)) return 0;
    // Judged by the time of its arrival, as if the sensor had been known.
    const received = { agency, gateway: gateway.number, format, payload, at };
    const decoded = decodeAgain({ decoder, tables: group.tables }, received, entry.readings);
    if (!decoded) return 0;
    const isExpired = this.#isExpired(entry);
    const waits = ({ reason }: { reason: string }): boolean => reason === "unknown-sensor" && !isExpired;
    const { accepted } = decoded.count;
    if (accepted === 0 && decoded.rejections.every(waits)) return 0;
    waitingRoom.release(gateway, entry);
    for (const part of partsByReason(format, payload, decoded.rejections)) {
      if (waits(part)) waitingRoom.add(gateway, { ...entry, readings: part.readings, bytes: part.bytes });
      else deadLetters.add(gateway, { agency, channel: format, at: now(), ...part });
    }
    const refused = decoded.rejections.filter((rejection) => !waits(rejection));
    notices.refused(gateway, payload, refused);
    committer.schedule();
    return accepted;
  }

  #isExpired({ at }: WaitingEntry): boolean {
    const { maxWait, steadyNow } = this.#options;
    return at < steadyNow() - maxWait;
  }
}
