import { randomUUID } from "node:crypto";
import { MarsadError } from "./errors.ts";
import type { LmdbFile } from "./lmdb-file.ts";
import { bytesInFile, hasOwnPages } from "./lmdb-room.ts";

/** What changes with every commit, kept in the file beside the records. */
export interface QueueState {
  readonly uuid: string;
  readonly first: number;
  readonly next: number;
  /** Positions between `first` and `next` whose records are gone. */
  readonly holes: number;
  readonly liveBytes: number;
}

/** As the file has it: the first format knows no holes, and is what is written while there are none. */
type StoredState = Omit<QueueState, "holes"> & { readonly format: number; readonly holes?: number };

const formatWithHoles = 2;
export const recordsTable = "records";
export const stateTable = "state";
const stateKey = "state";

export function readState(file: LmdbFile): QueueState | undefined {
  const bytes = file.read(() => file.table(stateTable).getBinary(stateKey));
  if (bytes === undefined) return undefined;
  const stored = JSON.parse(Buffer.from(bytes).toString()) as StoredState;
  const { format, uuid, first, next, liveBytes, holes = 0 } = stored;
  if (format <= formatWithHoles) return { uuid, first, next, holes, liveBytes };
  throw new MarsadError(
    "STORE_FORMAT",
    `the queue's format is ${format}; this program knows ${formatWithHoles}`,
  );
}

export function makeState(file: LmdbFile): QueueState {
  const state: QueueState = { uuid: randomUUID(), first: 0, next: 0, holes: 0, liveBytes: 0 };
  file.write(() => writeState(file, state));
  return state;
}

export function writeState(file: LmdbFile, { holes, ...state }: QueueState): void {
  const stored: StoredState =
    holes === 0 ? { format: 1, ...state } : { format: formatWithHoles, ...state, holes };
  file.put(stateTable, stateKey, Buffer.from(JSON.stringify(stored)));
}

/** `cost` is what the record takes in the file; in its key, so that trimming need not read the record. */
export type RecordKey = [position: number, cost: number];

/** The queue's state as a transaction under way has changed it. */
export class Draft {
  readonly #file: LmdbFile;
  state: QueueState;
  appendedBytes = 0;

  constructor(file: LmdbFile, state: QueueState) {
    this.#file = file;
    this.state = state;
  }

  append(record: Uint8Array): number {
    const { next, liveBytes } = this.state;
    const cost = bytesInFile(record.length);
    this.#file.put(recordsTable, [next, cost], record);
    this.appendedBytes += cost;
    this.state = { ...this.state, next: next + 1, liveBytes: liveBytes + cost };
    return next;
  }

  /** Drops the records below `before`. */
  trim(before: number): void {
    if (before > this.state.first) this.remove([{ from: this.state.first, to: before }], wholeStep);
  }

  /**
   * Drops the records of `ranges`, ascending, or as many of them as `step` allows, one at least.
   * @returns what is left of `ranges`
   */
  remove(ranges: readonly PositionRange[], step: RemovalStep): PositionRange[] {
    const left: PositionRange[] = [];
    const done: Removed = { records: 0, runs: 0, bytes: 0, sharedBytes: 0 };
    for (const range of ranges) {
      const reached = left.length > 0 ? range.from : this.#removeRange(range, step, done);
      if (reached < range.to) left.push({ from: reached, to: range.to });
    }
    if (done.records > 0) this.#settle(done);
    return left;
  }

  /** @returns where it stopped: `range.to` when all of it is gone. */
  #removeRange({ from, to }: PositionRange, step: RemovalStep, done: Removed): number {
    const end = Math.min(to, this.state.next);
    if (from >= end) return to;
    if (done.runs >= step.runs) return from;
    const room = step.records - done.records;
    const range = { start: [from], end: [end], ...(room < Infinity && { limit: room + 1 }) };
    const keys = Array.from(this.#file.table(recordsTable).getKeys(range)) as RecordKey[];
    if (keys.length > 0) done.runs += 1;
    for (const key of keys) {
      const [position, cost] = key;
      const sharedBytes = done.sharedBytes + (hasOwnPages(cost) ? 0 : cost);
      const isTooMuch =
        done.records >= step.records || done.bytes + cost > step.bytes || sharedBytes > step.sharedBytes;
      if (done.records > 0 && isTooMuch) return position;
      this.#file.remove(recordsTable, key, cost);
      done.records += 1;
      done.bytes += cost;
      done.sharedBytes = sharedBytes;
    }
    return to;
  }

  #settle(removed: Removed): void {
    const { first, next, holes, liveBytes } = this.state;
    const records = next - first - holes - removed.records;
    const lowest = records === 0 ? next : this.#lowest(first);
    this.state = {
      ...this.state,
      first: lowest,
      holes: next - lowest - records,
      liveBytes: liveBytes - removed.bytes,
    };
  }

  /** Of a queue that has records. */
  #lowest(from: number): number {
    const [key] = Array.from(this.#file.table(recordsTable).getKeys({ start: [from], limit: 1 }));
    return (key as RecordKey)[0];
  }
}

/** From `from` up to `to`, which is not in it. */
export interface PositionRange {
  readonly from: number;
  readonly to: number;
}

/** How much one transaction drops: what it must write for that grows with each of these. */
export interface RemovalStep {
  readonly records: number;
  readonly bytes: number;
  /** Of records that share pages with others. */
  readonly sharedBytes: number;
  /** Places in the file that are changed; neighbours are one. */
  readonly runs: number;
}

type Removed = { -readonly [Key in keyof RemovalStep]: number };
const wholeStep: RemovalStep = { records: Infinity, bytes: Infinity, sharedBytes: Infinity, runs: Infinity };
