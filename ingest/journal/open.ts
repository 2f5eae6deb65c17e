import { type WorkerClient, openWorker } from "#runtime/worker.ts";
import { SeriesTable } from "#telemetry/series-table.ts";
import type { IngestLimits } from "../limits.ts";
import type { Journal } from "./journal.ts";
import type { JournalGroup, JournalSnapshot } from "./messages.ts";
import { RecentBlocks } from "./recent-blocks.ts";
import type { JournalMethods, JournalThreadInit } from "./thread.ts";

/** A journal and what it knew when it was opened. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly snapshot: JournalSnapshot;
}

/**
 * Starts the journal thread on the folder `path`, which it makes if need be. Disposing gives up commits that do not go through.
 * @throws MarsadError QUEUE_CORRUPT, QUEUE_UNWRITABLE, DATA_LOCKED, STORE_FORMAT
 */
export async function openJournal(path: string, limits: IngestLimits): Promise<OpenedJournal> {
  const init: JournalThreadInit = {
    path,
    liveBytes: limits.journal_bytes,
    fileBytes: limits.journal_file_bytes,
    deadLetters: {
      bytesPerGateway: limits.dead_letter_bytes_per_gateway,
      bytes: limits.dead_letter_bytes,
      maxAge: limits.dead_letter_days * 86_400_000,
    },
  };
  const thread = await openWorker<JournalMethods>(new URL("./thread.ts", import.meta.url), init);
  try {
    const { uuid, snapshot } = await thread.call("snapshot", undefined);
    const series = new SeriesTable(snapshot.series);
    const recent = new RecentBlocks(limits.recent_bytes);
    return { journal: journalOf(thread, uuid, recent), snapshot: { ...snapshot, series } };
  } catch (error) {
    await thread[Symbol.asyncDispose]();
    throw error;
  }
}

function journalOf(thread: WorkerClient<JournalMethods>, uuid: string, recent: RecentBlocks): Journal {
  let closing: Promise<void> | undefined;
  const commit = async (group: JournalGroup): Promise<number> => {
    const { block } = group;
    const kept = block && recent.reserve(block.byteLength) ? block.slice() : undefined;
    try {
      const next = await thread.call("commit", group, block ? [block] : []);
      if (kept) recent.put(next - 1, kept);
      return next;
    } catch (error) {
      if (kept) recent.release(kept.byteLength);
      throw error;
    }
  };
  const close = async (): Promise<void> => {
    await thread.call("giveUp", undefined).catch(() => undefined); // the thread is lost already
    await thread[Symbol.asyncDispose]();
  };
  return {
    uuid,
    commit,
    read: async (from, maxBytes) =>
      recent.take(from, maxBytes) ?? (await thread.call("read", { from, maxBytes })),
    storeTakes: (takes) => (takes ? recent.wake() : recent.sleep()),
    trim: (before) => {
      recent.forgetBefore(before);
      return thread.call("trim", before);
    },
    waiting: (gateway, after, maxBytes) => thread.call("waiting", { gateway, after, maxBytes }),
    oldestWaiting: (gateways) => thread.call("oldestWaiting", gateways),
    deadLetters: (filter) => thread.call("deadLetters", filter),
    status: () => thread.call("status", undefined),
    hold: () => thread.call("hold", undefined),
    letGo: () => thread.call("letGo", undefined),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}
