import { lockFolder } from "./data-lock.ts";
import {
  Draft,
  type PositionRange,
  type QueueState,
  type RecordKey,
  type RemovalStep,
  makeState,
  readState,
  recordsTable,
  stateTable,
  writeState,
} from "./durable-queue-state.ts";
import {
  type Codec,
  QueueTable,
  type Table,
  type TableWriter,
  bytesCodec,
  plainBytes,
} from "./durable-queue-table.ts";
import { MarsadError, hasCode } from "./errors.ts";
import { FileBound } from "./file-bound.ts";
import { LmdbFile } from "./lmdb-file.ts";
import { runsOfRemoval } from "./lmdb-room.ts";

export type { PositionRange } from "./durable-queue-state.ts";
export { jsonCodec } from "./durable-queue-table.ts";
export type { Codec, Table, TableEntry, TableKey, TableRange, TableWriter } from "./durable-queue-table.ts";

export interface DurableQueueOptions {
  /** Folder of its own, made if missing. */
  readonly path: string;
  /** Bound on `liveBytes`; a commit that would pass it is QUEUE_FULL. */
  readonly maxLiveBytes: number;
  /**
   * Bound on the used part of the file, tables included: beyond it a commit that the free pages cannot take is QUEUE_FULL.
   * The file is longer by the room kept ahead, about three times the largest commit.
   */
  readonly maxFileBytes: number;
  /** Tables kept beside the records, changed in the same commits. */
  readonly tables?: readonly string[];
}

/**
 * Records of bytes in order, on disk before anyone is told so, until they are trimmed or removed: ingest's journal and the
 * edge agent's outbox. Synchronous, since lmdb's asynchronous way ends the process on a full disk: the caller chooses the
 * thread. One program at a time.
 */
export interface DurableQueue extends Disposable {
  /** Made with the file, and the same as long as it is. */
  readonly uuid: string;
  /** Position of the oldest record kept; `next` when there is none. */
  readonly first: number;
  /** How many of the positions from `first` up to `next` have no record any more. */
  readonly holes: number;
  /** Position that the next record gets; survives trims and restarts, never goes back. */
  readonly next: number;
  /** What the kept records take in the file, whole pages for large ones. */
  readonly liveBytes: number;
  /** Size of the file, which never shrinks. */
  readonly fileBytes: number;
  table(name: string): Table;
  table<V>(name: string, codec: Codec<V>): Table<V>;
  /**
   * All of what `work` does, or nothing; on disk (fsynced) when it returns. `work` must not await; what it throws is
   * thrown on, and nothing is kept.
   * @throws MarsadError QUEUE_FULL: a bound is reached. QUEUE_UNWRITABLE: the disk refuses. Try again later.
   */
  commit<T>(work: (transaction: QueueTransaction) => T): T;
  /** Copies of records from position `from` on: at least one if there is one, about `maxBytes` at most. */
  read(from: number, maxBytes: number): QueueRecord[];
  /**
   * Drops the records below position `before`; works on a full disk.
   * @throws MarsadError QUEUE_UNWRITABLE: some may be dropped, none above `before`.
   */
  trim(before: number): void;
  /**
   * Drops the records of `ranges`, which ascend and do not overlap, wherever they are; works on a full disk. Positions
   * that have no record do not matter.
   * @throws MarsadError QUEUE_UNWRITABLE: some may be dropped; the rest is to be removed another time.
   */
  remove(ranges: readonly PositionRange[]): void;
  /** The stretches of positions that have a record, ascending; where there are holes it takes a look at every key. */
  ranges(): PositionRange[];
  /** Gives back what a process kept that died while it copied the file. */
  forgetDeadReaders(): void;
}

export interface QueueRecord {
  readonly position: number;
  readonly record: Uint8Array<ArrayBuffer>;
}

export interface QueueTransaction {
  /** @returns the record's position. */
  append(record: Uint8Array): number;
  /** As `DurableQueue.trim`, for few records: it costs no commit of its own. */
  trim(before: number): void;
  table(name: string): TableWriter;
  table<V>(name: string, codec: Codec<V>): TableWriter<V>;
}

/**
 * Opens, or makes, the queue in folder `options.path`.
 * @throws MarsadError DATA_LOCKED, DATA_UNUSABLE, QUEUE_CORRUPT, QUEUE_UNWRITABLE, STORE_FORMAT
 */
export function openDurableQueue(options: DurableQueueOptions): DurableQueue {
  const lock = lockFolder(options.path);
  let file: LmdbFile | undefined;
  try {
    file = new LmdbFile({
      path: options.path,
      tables: [recordsTable, stateTable, ...(options.tables ?? []).map(fileTable)],
      inRuns: [recordsTable],
      mapBytes: options.maxFileBytes + mapMarginBytes,
      codes: { corrupt: "QUEUE_CORRUPT", unwritable: "QUEUE_UNWRITABLE" },
    });
    return new LmdbQueue(file, lock, readState(file) ?? makeState(file), options);
  } catch (error) {
    file?.close();
    lock[Symbol.dispose]();
    throw error;
  }
}

const mapMarginBytes = 64 * 1024 * 1024;
const fileTable = (name: string): string => `table.${name}`;

/** Little enough for the room that is kept back for trimming. */
const removalStep: RemovalStep = {
  records: 256,
  bytes: 16 * 1024 * 1024,
  sharedBytes: 64 * 1024,
  runs: runsOfRemoval,
};

class LmdbQueue implements DurableQueue {
  readonly #file: LmdbFile;
  readonly #lock: Disposable;
  readonly #options: DurableQueueOptions;
  readonly #bound: FileBound;
  #state: QueueState;
  /** The file may have another: it could not be read after a commit that failed. */
  #isStale = false;
  /** The disk refused the last commit, or was not asked yet. */
  #refused = true;

  constructor(file: LmdbFile, lock: Disposable, state: QueueState, options: DurableQueueOptions) {
    this.#file = file;
    this.#lock = lock;
    this.#state = state;
    this.#options = options;
    this.#bound = new FileBound(file, options.path, options.maxFileBytes);
  }

  get uuid(): string {
    return this.#state.uuid;
  }

  get first(): number {
    return this.#state.first;
  }

  get next(): number {
    return this.#state.next;
  }

  get holes(): number {
    return this.#state.holes;
  }

  get liveBytes(): number {
    return this.#state.liveBytes;
  }

  get fileBytes(): number {
    return this.#file.sizes().fileBytes;
  }

  table<V = Uint8Array>(name: string, codec?: Codec<V>): Table<V> {
    return this.#table(name, codec);
  }

  commit<T>(work: (transaction: QueueTransaction) => T): T {
    let appended = false;
    const result = this.#writeOrSettle((draft) => {
      const transaction: QueueTransaction = {
        append: (record) => draft.append(record),
        trim: (before) => draft.trim(before),
        table: <V = Uint8Array>(name: string, codec?: Codec<V>) => this.#table(name, codec),
      };
      const result = work(transaction);
      appended = draft.appendedBytes > 0;
      if (appended) this.#checkBounds(draft);
      return result;
    });
    if (appended) this.#bound.learn();
    return result;
  }

  read(from: number, maxBytes: number): QueueRecord[] {
    return this.#file.read(() => {
      const records: QueueRecord[] = [];
      let bytes = 0;
      for (const { key, value } of this.#file.table(recordsTable).getRange({ start: [from] })) {
        const [position, cost] = key as RecordKey;
        bytes += cost;
        if (records.length > 0 && bytes > maxBytes) break;
        records.push({ position, record: plainBytes(value) });
        if (bytes >= maxBytes) break;
      }
      return records;
    });
  }

  trim(before: number): void {
    this.remove([{ from: this.#state.first, to: before }]);
  }

  remove(ranges: readonly PositionRange[]): void {
    let left = ranges;
    while (left.length > 0) {
      left = this.#write((draft) => draft.remove(left, removalStep), { mayUseReserve: true });
    }
    if (this.#refused) this.#settle();
  }

  ranges(): PositionRange[] {
    const { first, next, holes } = this.#state;
    if (first === next) return [];
    if (holes === 0) return [{ from: first, to: next }];
    return this.#file.read(() => {
      const ranges: { from: number; to: number }[] = [];
      for (const key of this.#file.table(recordsTable).getKeys({ start: [first] })) {
        const [position] = key as RecordKey;
        const last = ranges.at(-1);
        if (last?.to === position) last.to += 1;
        else ranges.push({ from: position, to: position + 1 });
      }
      return ranges;
    });
  }

  forgetDeadReaders(): void {
    this.#file.forgetDeadReaders();
  }

  [Symbol.dispose](): void {
    this.#file.close();
    this.#lock[Symbol.dispose]();
  }

  #table<V>(name: string, codec: Codec<V> | undefined): QueueTable<V> {
    return new QueueTable(this.#file, fileTable(name), codec ?? (bytesCodec as unknown as Codec<V>));
  }

  #writeOrSettle<T>(work: (draft: Draft) => T): T {
    try {
      const result = this.#write(work);
      this.#refused = false;
      return result;
    } catch (error) {
      if (hasCode(error, "QUEUE_UNWRITABLE")) {
        this.#refused = true;
        this.#settle();
      }
      throw error;
    }
  }

  /**
   * A transaction cannot use the pages that the one before it freed. On a full disk a commit after a trim would fail for
   * ever: a transaction in between, which needs next to nothing, ends that.
   */
  #settle(): void {
    try {
      if (this.#isStale) this.#readBack();
      this.#file.write(() => writeState(this.#file, this.#state), { mayUseReserve: true });
    } catch {
      // The disk takes nothing at all; the caller has been told.
    }
  }

  #write<T>(work: (draft: Draft) => T, options: { mayUseReserve?: boolean } = {}): T {
    if (this.#isStale) this.#readBack();
    try {
      const draft = new Draft(this.#file, this.#state);
      const result = this.#file.write(() => {
        const result = work(draft);
        if (draft.state !== this.#state) writeState(this.#file, draft.state);
        return result;
      }, options);
      this.#state = draft.state;
      return result;
    } catch (error) {
      // A disk that fails at the last step may have kept it all the same.
      if (hasCode(error, "QUEUE_UNWRITABLE")) {
        this.#isStale = true;
        try {
          this.#readBack();
        } catch {
          // Then before the next write: nothing may be put over a record that is there.
        }
      }
      throw error;
    }
  }

  #readBack(): void {
    this.#state = readState(this.#file) ?? this.#state;
    this.#isStale = false;
  }

  #checkBounds({ state, appendedBytes }: Draft): void {
    const { maxLiveBytes, path } = this.#options;
    if (state.liveBytes > maxLiveBytes) {
      throw new MarsadError("QUEUE_FULL", `${path} holds ${this.liveBytes} bytes of at most ${maxLiveBytes}`);
    }
    this.#bound.check(appendedBytes);
  }
}
