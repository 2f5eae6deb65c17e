import type { Group, Acknowledgement } from "./group.ts";
import type { InFlight } from "./in-flight.ts";
import type { Journal } from "./journal/journal.ts";
import type { IngestSession } from "./source.ts";

/** Commits under way at most; while they are, the next group grows. */
const commitsInFlight = 2;

export interface CommitterOptions {
  readonly journal: Journal;
  readonly group: Group;
  readonly inFlight: InFlight;
  readonly groupBytes: number;
  readonly gatewayName: (gateway: number) => string;
  /** Blocks before `next` are on disk. Called before the PUBACKs of that commit leave. */
  readonly onCommitted: (next: number) => void;
  /** The journal thread is gone; nothing more can be kept. */
  readonly onFailure: (error: unknown) => void;
}

/** Turns the growing group into journal commits, one after another, and acknowledges what each has made durable. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #stalled = new Set<IngestSession>();
  readonly #underWay = new Set<Promise<void>>();
  #scheduled = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** May the group take another message? */
  get hasRoom(): boolean {
    return this.#underWay.size < commitsInFlight || this.#options.group.bytes < this.#options.groupBytes;
  }

  /** Offers the session's held message again as soon as there is room. */
  stall(session: IngestSession): void {
    this.#stalled.add(session);
  }

  /** At the end of this turn of the event loop the group is committed, if the journal is free. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#commit();
    });
  }

  /** Waits until there is room for more; for replays, which have no socket to hold back. */
  async room(): Promise<void> {
    while (!this.hasRoom) await Promise.race(this.#underWay);
  }

  /** Commits what is there and waits until all of it is on disk. */
  async drain(): Promise<void> {
    while (!this.#options.group.isEmpty || this.#underWay.size > 0) {
      this.#commit();
      await Promise.all(this.#underWay);
    }
  }

  #commit(): void {
    const { group, journal, inFlight, gatewayName } = this.#options;
    if (this.#underWay.size >= commitsInFlight || group.isEmpty) return;
    const { group: content, acknowledgements } = group.take(gatewayName);
    if (content.block) inFlight.add(content.block);
    const commit = journal
      .commit(content)
      .then((next) => this.#committed(next, acknowledgements), this.#options.onFailure)
      .finally(() => {
        this.#underWay.delete(commit);
        this.#commit();
        this.#resumeStalled();
      });
    this.#underWay.add(commit);
  }

  #committed(next: number, acknowledgements: readonly Acknowledgement[]): void {
    this.#options.onCommitted(next);
    for (const { session, count } of acknowledgements) session.acknowledge(count);
  }

  #resumeStalled(): void {
    if (this.#stalled.size === 0 || !this.hasRoom) return;
    const sessions = Array.from(this.#stalled);
    this.#stalled.clear();
    for (const session of sessions) session.resume();
  }
}
