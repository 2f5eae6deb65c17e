import { type DurableQueueOptions, jsonCodec, openDurableQueue } from "#runtime/durable-queue.ts";

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

export interface StoredRecord {
  readonly position: number;
  readonly record: Uint8Array;
}

/** The outbox's file: batches by position, and the number of the next reading, which change together. Synchronous. */
export interface OutboxFile extends Disposable {
  readonly state: OutboxState;
  /** Keeps all of `payloads` or none. @throws MarsadError `QUEUE_FULL`, `QUEUE_UNWRITABLE` */
  commit(payloads: readonly Uint8Array[], nextNumber: number): void;
  /** Records from `from` on, about `maxBytes` of them, at least one if there is one. */
  read(from: number, maxBytes: number): readonly StoredRecord[];
  /** Forgets what lies below `before`. @throws MarsadError `QUEUE_UNWRITABLE` */
  trim(before: number): void;
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
    trim: (before) => queue.trim(before),
    [Symbol.dispose]: () => queue[Symbol.dispose](),
  };
}
