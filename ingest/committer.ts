import type { Acknowledgement, Group } from "./group.ts";
import { HeldSessions } from "./held-sessions.ts";
import type { InFlight } from "./in-flight.ts";
import type { Journal } from "./journal/journal.ts";

/** Commits under way at most; while they are, the next group grows. */
const commitsInFlight = 2;
/**
 * What a group must hold to be handed over while another is under way. A smaller one would only wait in the journal thread's queue, closed to what
 * comes meanwhile, and each commit costs a fsync, four messages between threads and a write to each connection.
 */
const worthQueueing_bytes = 512 * 1024;

export interface CommitterOptions {
  readonly journal: Pick<Journal, "commit">;
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
  /** Sessions that wait for room in the group. */
  readonly stalled = new HeldSessions();
  readonly #options: CommitterOptions;
  #scheduled = false;
  #underWay = 0;
  /** The end of the last commit under way. */
  #last: Promise<void> = Promise.resolve();
  /** Resolved by the next commit that ends. */
  #ended = Promise.withResolvers<void>();
  /** Whoever waits for what is in the open group. */
  #awaited: PromiseWithResolvers<void> | undefined;
  #isLost = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Makes room for another message in the group, if that can be. */
  hasRoom(): boolean {
    const { group, groupBytes } = this.#options;
    if (group.bytes < groupBytes) return true;
    this.#commit();
    return group.bytes < groupBytes;
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

  /**
   * Waits until a replay may add to the group. It may fill it up to twice the bound: sessions, which come first whenever there
   * is room, would keep it out for ever.
   */
  async room(): Promise<void> {
    const { group, groupBytes } = this.#options;
    while (group.bytes >= 2 * groupBytes) {
      this.#commit();
      await this.#ended.promise;
    }
  }

  /** Resolves with true when all that is in the group at this moment, and before it, is on disk; with false when the journal is lost. */
  async settled(): Promise<boolean> {
    if (this.#options.group.isEmpty) await this.#last;
    else {
      this.#awaited ??= Promise.withResolvers();
      this.schedule();
      await this.#awaited.promise;
    }
    return !this.#isLost;
  }

  #commit(): void {
    const { group, groupBytes, journal, inFlight, gatewayName } = this.#options;
    if (this.#underWay >= commitsInFlight || group.isEmpty) return;
    if (this.#underWay > 0 && group.bytes < Math.min(worthQueueing_bytes, groupBytes)) return;
    const { content, counts, acknowledgements } = group.take(gatewayName);
    const awaited = this.#awaited;
    this.#awaited = undefined;
    if (content?.block) inFlight.add(counts);
    this.#underWay += 1;
    const kept = content && journal.commit(content);
    this.#last = this.#finish(Promise.all([kept, this.#last]), acknowledgements, awaited);
  }

  /** @param kept  The position the next block gets, once this commit and those before it are on disk. */
  async #finish(
    kept: Promise<[number | undefined, void]>,
    acknowledgements: readonly Acknowledgement[],
    awaited: PromiseWithResolvers<void> | undefined,
  ): Promise<void> {
    const { onCommitted, onFailure } = this.#options;
    try {
      const [next] = await kept;
      if (next !== undefined) onCommitted(next);
      for (const { session, count } of acknowledgements) session.acknowledge(count);
    } catch (error) {
      this.#isLost = true;
      onFailure(error);
    }
    awaited?.resolve();
    this.#underWay -= 1;
    this.#commit();
    this.#ended.resolve();
    this.#ended = Promise.withResolvers();
    if (this.hasRoom()) this.stalled.resume();
  }
}
