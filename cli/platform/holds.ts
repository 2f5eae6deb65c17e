import { randomUUID } from "node:crypto";
import type { Ingest } from "#ingest/ingest.ts";
import { isLocked } from "#runtime/data-lock.ts";
import type { Log } from "#runtime/log.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";
import type { Store, StoreHold } from "#store/port.ts";
import { type Answer, Ask, answerFile, askFile, backupFolder, readMessage } from "../backup/messages.ts";

/** Milliseconds: between two looks for a request; a journal may grow for so long, and the store's log. */
const interval = 200;
const longestJournalHold = 10 * 60_000;
const longestHold = 6 * 3_600_000;

interface Hold {
  readonly id: string;
  readonly since: number;
  journal: AsyncDisposable | undefined;
  readonly store: StoreHold | undefined;
}

/**
 * Holds journal and store still, in part, while `marsad backup` copies their files. What a backup that died had held is let go
 * within a second.
 */
export class Holds implements AsyncDisposable {
  readonly #data: string;
  readonly #ingest: Pick<Ingest, "holdJournal">;
  readonly #store: Pick<Store, "hold">;
  readonly #log: Log;
  readonly #platform = randomUUID();
  readonly #timer: NodeJS.Timeout;
  #hold: Hold | undefined;
  #answered: Ask | undefined;
  #looking: Promise<void> | undefined;

  constructor(parts: {
    data: string;
    ingest: Pick<Ingest, "holdJournal">;
    store: Pick<Store, "hold">;
    log: Log;
  }) {
    this.#data = parts.data;
    this.#ingest = parts.ingest;
    this.#store = parts.store;
    this.#log = parts.log;
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look()
        .catch((error: unknown) => this.#log.warn({ err: error }, "A backup could not be answered."))
        .finally(() => (this.#looking = undefined));
    }, interval);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#letGo();
  }

  async #look(): Promise<void> {
    const ask = await readMessage(askFile(this.#data), Ask);
    const why = this.#hold && this.#overdue(this.#hold, ask);
    if (why !== undefined) {
      await this.#letGo();
      this.#log.warn({ why }, "A backup was given up.");
    }
    if (ask === undefined || (ask.id === this.#answered?.id && ask.step === this.#answered.step)) return;
    if (!isLocked(backupFolder(this.#data))) return; // left by one that died
    const said = await this.#answer(ask).catch((error: unknown) => ({ failure: String(error) }));
    const answer: Answer = { ...ask, platform: this.#platform, ...said };
    await writeFileAtomically(answerFile(this.#data), JSON.stringify(answer), 0o600);
    this.#answered = ask;
  }

  async #answer(ask: Ask): Promise<Pick<Answer, "failure" | "store">> {
    if (ask.step === "hold") {
      await this.#letGo();
      // The journal first: what the store has not kept yet must not leave it.
      const journal = await this.#ingest.holdJournal();
      this.#hold = { id: ask.id, since: performance.now(), journal, store: undefined };
      const store = await this.#store.hold?.();
      this.#hold = { ...this.#hold, store };
      this.#log.info({}, "A backup begins.");
      return store === undefined ? {} : { store: { files: [...store.files], rows: store.rows } };
    }
    if (this.#hold?.id !== ask.id) return { failure: "the platform gave it up" };
    if (ask.step === "journal-copied") {
      await this.#hold.journal?.[Symbol.asyncDispose]();
      this.#hold.journal = undefined;
      return {};
    }
    const kept = await this.#letGo();
    this.#log.info({ kept }, "A backup's files are copied.");
    return kept ? {} : { failure: "the store's file was opened anew meanwhile" };
  }

  #overdue({ id, since, journal }: Hold, ask: Ask | undefined): string | undefined {
    const longest = journal === undefined ? longestHold : longestJournalHold;
    if (performance.now() - since > longest) return `it took longer than ${longest / 60_000} minutes`;
    return ask?.id === id && isLocked(backupFolder(this.#data)) ? undefined : "it ended without a word";
  }

  /** @returns whether the store's files kept what they had. */
  async #letGo(): Promise<boolean> {
    const hold = this.#hold;
    this.#hold = undefined;
    await hold?.journal?.[Symbol.asyncDispose]();
    return (await hold?.store?.release().catch(() => false)) ?? true;
  }
}
