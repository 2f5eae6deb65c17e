import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "#runtime/log.ts";
import type { Journal } from "./journal/journal.ts";

/** Milliseconds between two looks. */
const interval = 1_000;

/** Asks the journal thread every second whether commits go through, and says so when that changes. */
export class JournalWatch {
  readonly #journal: Pick<Journal, "status">;
  readonly #log: Log;
  readonly #onFailure: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #trouble: string | undefined;

  /** @param onFailure  The journal thread is gone. */
  constructor(journal: Pick<Journal, "status">, log: Log, onFailure: (error: unknown) => void) {
    this.#journal = journal;
    this.#log = log;
    this.#onFailure = onFailure;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look().catch(this.#onFailure), interval);
  }

  /** Why nothing is acknowledged at present, if so. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Resolves when the journal refuses commits, or with the signal. */
  async refuses(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.#journal.status()).blocked === undefined) {
      await sleep(interval / 10, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { blocked } = await this.#journal.status();
    if (blocked && this.#trouble === undefined) {
      this.#log.error(
        { code: blocked.code, reason: blocked.message },
        "The journal takes nothing; PUBACKs wait.",
      );
    } else if (!blocked && this.#trouble !== undefined) {
      this.#log.info({}, "The journal takes readings again.");
    }
    this.#trouble = blocked?.message;
  }
}
