import { openWorker } from "#runtime/worker.ts";
import type { IngestLimits } from "../limits.ts";
import type { Journal } from "./journal.ts";
import type { JournalMethods, JournalThreadInit } from "./thread.ts";

/** Starts the journal thread on the folder `path`, which it makes if need be. Throws `QUEUE_CORRUPT`, `DATA_LOCKED`. */
export async function openJournal(path: string, limits: IngestLimits): Promise<Journal> {
  const init: JournalThreadInit = {
    path,
    liveBytes: limits.journal_bytes,
    fileBytes: limits.journal_file_bytes,
    deadLetters: { bytesPerGateway: limits.dead_letter_bytes_per_gateway, maxAge: limits.dead_letter_days * 86_400_000 },
  };
  const worker = await openWorker<JournalMethods>(new URL("./thread.ts", import.meta.url), init);
  const snapshot = await worker.call("snapshot", undefined);
  return {
    snapshot,
    commit: async (group) => await worker.call("commit", group, group.block ? [group.block] : []),
    read: async (from, maxBytes) => await worker.call("read", { from, maxBytes }),
    trim: async (before) => await worker.call("trim", before),
    waiting: async (gateway, after, maxBytes) => await worker.call("waiting", { gateway, after, maxBytes }),
    deadLetters: async (filter) => await worker.call("deadLetters", filter),
    status: async () => await worker.call("status", undefined),
    [Symbol.asyncDispose]: async () => await worker[Symbol.asyncDispose](),
  };
}
