import type { PositionRange } from "#runtime/durable-queue.ts";
import { type MarsadError } from "#runtime/errors.ts";
import { openWorker } from "#runtime/worker.ts";
import { parseBatchHeader } from "#telemetry/batch-header.ts";
import type { OutboxFileOptions, OutboxState, StoredBacklog, StoredRecord } from "./outbox-file.ts";
import type { OutboxMethods } from "./outbox-thread.ts";
import type { StoredBatch } from "./send-plan.ts";

/** Where batches wait on disk for their PUBACK. Commits and their fsyncs run in a thread of their own: an SD card may take a second. */
export interface Outbox extends AsyncDisposable {
  /** As of the last answer of its thread. */
  readonly state: OutboxState;
  /**
   * Keeps `payloads` in order, all or none, in one fsynced transaction with the number of the reading after them.
   * @returns the position of the first
   * @throws MarsadError `QUEUE_FULL`, `QUEUE_UNWRITABLE`
   */
  commit(payloads: readonly Uint8Array[], nextNumber: number): Promise<number>;
  /** Batches from position `from` on, about `maxBytes` of them, at least one if there is one. */
  read(from: number, maxBytes: number): Promise<readonly StoredBatch[]>;
  /** Forgets the batches of `ranges`, which ascend, wherever they are. @throws MarsadError `QUEUE_UNWRITABLE` */
  remove(ranges: readonly PositionRange[]): Promise<void>;
  /** What it keeps now. */
  backlog(): Promise<StoredBacklog>;
  /** Resolves when its thread is gone: with why when that was not by disposing it. */
  readonly ended: Promise<MarsadError | undefined>;
}

/** Opens the outbox at `path`, or makes it. @throws MarsadError `QUEUE_CORRUPT`, `QUEUE_UNWRITABLE` */
export async function openOutbox(options: OutboxFileOptions): Promise<Outbox> {
  const thread = await openWorker<OutboxMethods>(threadFile(), options);
  let state = await thread.call("state", undefined);
  return {
    get state() {
      return state;
    },
    ended: thread.ended,
    async commit(payloads, nextNumber): Promise<number> {
      state = await thread.call("commit", { payloads, nextNumber });
      return state.next - payloads.length;
    },
    async read(from, maxBytes): Promise<readonly StoredBatch[]> {
      const records = await thread.call("read", { from, maxBytes });
      return records.map(storedBatch);
    },
    async remove(ranges): Promise<void> {
      state = await thread.call("remove", ranges);
    },
    backlog: () => thread.call("backlog", undefined),
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}

function storedBatch({ position, record }: StoredRecord): StoredBatch {
  const parsed = parseBatchHeader(record);
  return {
    position,
    count: parsed?.ok ? parsed.header.n : 0,
    payload: Buffer.from(record.buffer, record.byteOffset, record.byteLength),
  };
}

/** The thread's program: beside this file, as TypeScript in the repository and as JavaScript in the gateway's package. */
function threadFile(): URL {
  const own = import.meta.url;
  return new URL(`./outbox-thread${own.slice(own.lastIndexOf("."))}`, own);
}
