import {
  type DurableQueueOptions,
  type PositionRange,
  jsonCodec,
  openDurableQueue,
} from "#runtime/durable-queue.ts";
import { parseBatchHeader } from "#telemetry/batch-header.ts";

export type OutboxFileOptions = Pick<DurableQueueOptions, "path" | "maxLiveBytes" | "maxFileBytes">;

/** What is known of the outbox's file. */
export interface OutboxState {
  /** Made with the outbox; a new one has a new UUID. */
  readonly uuid: string;
  /** Oldest kept position, and the one that the next batch gets. */
  readonly first: number;
  readonly next: number;
  /** Number of the next reading. */
  readonly nextNumber: number;
  readonly liveBytes: number;
}

/** What an earlier run left behind. */
export interface StoredBacklog {
  /** Positions of its batches, ascending. */
  readonly ranges: readonly PositionRange[];
  /** Readings in them. */
  readonly readings: number;
}

export interface StoredRecord {
  readonly position: number;
  /** With memory of its own. */
  readonly record: Uint8Array<ArrayBuffer>;
}

/** The outbox's file: batches by position, and the number of the next reading, which change together. Synchronous. */
export interface OutboxFile extends Disposable {
  readonly state: OutboxState;
  /** Keeps all of `payloads` or none. @throws MarsadError `QUEUE_FULL`, `QUEUE_UNWRITABLE` */
  commit(payloads: readonly Uint8Array[], nextNumber: number): void;
  /** Records from `from` on, about `maxBytes` of them, at least one if there is one. */
  read(from: number, maxBytes: number): readonly StoredRecord[];
  /** Forgets the batches of `ranges`, which ascend, wherever they are. @throws MarsadError `QUEUE_UNWRITABLE` */
  remove(ranges: readonly PositionRange[]): void;
  /** What is kept now. */
  backlog(): StoredBacklog;
}

const numbers = "numbers";
const next = "next";

/**
 * Opens the outbox's file in folder `path`, or makes it.
 * @throws MarsadError `DATA_LOCKED`, `DATA_UNUSABLE`, `QUEUE_CORRUPT`, `QUEUE_UNWRITABLE`
 */
export function openOutboxFile(options: OutboxFileOptions): OutboxFile {
  const queue = openDurableQueue({ ...options, tables: [numbers] });
  const storedNumber = (): number => Number(queue.table(numbers, jsonCodec).get(next) ?? 0);
  const headerAt = (position: number): { first: number; end: number } => {
    const [found] = queue.read(position, 1);
    const parsed = found && parseBatchHeader(found.record);
    if (!parsed?.ok) return { first: 0, end: 0 };
    const { first, n } = parsed.header;
    return { first, end: first + n };
  };
  return {
    get state(): OutboxState {
      const { uuid, first, next, liveBytes } = queue;
      return { uuid, first, next, nextNumber: storedNumber(), liveBytes };
    },
    commit(payloads, nextNumber): void {
      queue.commit((transaction) => {
        for (const payload of payloads) transaction.append(payload);
        // Never back: a commit that failed may have been kept all the same, and what it kept is sent one day.
        transaction.table(numbers, jsonCodec).put(next, Math.max(nextNumber, storedNumber()));
      });
    },
    read: (from, maxBytes) => queue.read(from, maxBytes),
    remove: (ranges) => queue.remove(ranges),
    backlog(): StoredBacklog {
      const ranges = queue.ranges();
      let readings = 0;
      // Numbers run on from batch to batch as positions do.
      for (const { from, to } of ranges) readings += headerAt(to - 1).end - headerAt(from).first;
      return { ranges, readings };
    },
    [Symbol.dispose]: () => queue[Symbol.dispose](),
  };
}
