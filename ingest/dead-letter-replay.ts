import { isReadingFormat } from "./channels.ts";
import type { Committer } from "./committer.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { decodeAgain } from "./decode-again.ts";
import type { Decoder } from "./decoder.ts";
import type { Gateways } from "./gateways.ts";
import type { Group } from "./group.ts";
import type { DeadLetterFilter, Journal, StoredDeadLetter } from "./journal/journal.ts";
import { parseKey } from "./journal/payload-table.ts";
import { partsByReason } from "./refusals.ts";
import type { WaitingRoom } from "./waiting-room.ts";

const lettersAtATime = 50;

/** In readings. */
export interface ReplayCount {
  readonly tried: number;
  readonly accepted: number;
  /** Refused again, or waiting for a birth. */
  readonly refused: number;
}

export interface DeadLetterReplayOptions {
  readonly group: Group;
  readonly decoder: Decoder;
  readonly committer: Committer;
  readonly gateways: Gateways;
  readonly journal: Pick<Journal, "deadLetters" | "status">;
  readonly waitingRoom: WaitingRoom;
  readonly deadLetters: DeadLetters;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * Decodes dead letters again on request: under today's catalogue, registry and clock, and as if they came now, so that a value wins over
 * what has been stored for its time since.
 */
export class DeadLetterReplay {
  readonly #options: DeadLetterReplayOptions;
  /** One after another: two at once would take a letter twice. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DeadLetterReplayOptions) {
    this.#options = options;
  }

  /** What is refused for the same reason stays as it is. Resolves when what was taken is on disk. */
  async run(filter: Omit<DeadLetterFilter, "limit" | "after">): Promise<ReplayCount> {
    const mine = this.#last.then(() => this.#run(filter));
    this.#last = mine.catch(() => undefined);
    return await mine;
  }

  async #run(filter: Omit<DeadLetterFilter, "limit" | "after">): Promise<ReplayCount> {
    const { journal, committer, signal } = this.#options;
    const total = { tried: 0, accepted: 0, refused: 0 };
    await committer.settled();
    // Letters from here on are of this replay, or too young for it.
    const end = (await journal.status()).nextDeadLetter;
    let after: string | undefined = "";
    while (after !== undefined && !signal.aborted) {
      const letters: StoredDeadLetter[] = await journal.deadLetters({
        ...filter,
        after,
        limit: lettersAtATime,
      });
      await committer.room();
      for (const letter of letters) {
        if ((parseKey(letter.id)?.number ?? end) >= end) continue;
        const accepted = this.#replayLetter(letter);
        if (accepted === undefined) continue;
        total.tried += letter.readings;
        total.accepted += accepted;
        total.refused += letter.readings - accepted;
      }
      after = letters.at(-1)?.id;
    }
    await committer.settled();
    return total;
  }

  /** @returns readings taken; undefined for a letter that cannot be tried. Synchronous, so that the group holds all of it or nothing. */
  #replayLetter(letter: StoredDeadLetter): number | undefined {
    const { committer, deadLetters, decoder, gateways, group, now, waitingRoom } = this.#options;
    const { agency, channel: format, gateway: name, payload, reason, readings } = letter;
    if (payload === null || readings === 0 || reason === "bad-header" || !isReadingFormat(format))
      return undefined;
    const gateway = gateways.known({ name, agency });
    const at = now();
    const received = { agency, gateway: gateway.number, format, payload, at };
    const decoded = decodeAgain({ decoder, tables: group.tables }, received, readings);
    if (!decoded) return undefined;
    const { accepted } = decoded.count;
    if (accepted === 0 && decoded.rejections.every((rejection) => rejection.reason === reason)) return 0;
    deadLetters.done(gateway, letter);
    for (const part of partsByReason(format, payload, decoded.rejections)) {
      if (part.reason === "unknown-sensor") {
        const { bytes } = part;
        waitingRoom.add(gateway, {
          gateway: name,
          agency,
          channel: format,
          readings: part.readings,
          at,
          bytes,
        });
      } else deadLetters.add(gateway, { agency, channel: format, at, ...part });
    }
    committer.schedule();
    return accepted;
  }
}
