import { randomUUID } from "node:crypto";
import { MarsadError } from "./errors.ts";
import type { LmdbFile } from "./lmdb-file.ts";
import { bytesInFile, hasOwnPages } from "./lmdb-room.ts";

/** What changes with every commit, kept in the file beside the records. */
export interface QueueState {
  readonly format: number;
  readonly uuid: string;
  readonly first: number;
  readonly next: number;
  readonly liveBytes: number;
}

const format = 1;
export const recordsTable = "records";
export const stateTable = "state";
const stateKey = "state";

export function readState(file: LmdbFile): QueueState | undefined {
  const bytes = file.read(() => file.table(stateTable).getBinary(stateKey));
  if (bytes === undefined) return undefined;
  const state = JSON.parse(Buffer.from(bytes).toString()) as QueueState;
  if (state.format <= format) return state;
  throw new MarsadError(
    "STORE_FORMAT",
    `the queue's format is ${state.format}; this program knows ${format}`,
  );
}

export function makeState(file: LmdbFile): QueueState {
  const state: QueueState = { format, uuid: randomUUID(), first: 0, next: 0, liveBytes: 0 };
  file.write(() => writeState(file, state));
  return state;
}

export function writeState(file: LmdbFile, state: QueueState): void {
  file.put(stateTable, stateKey, Buffer.from(JSON.stringify(state)));
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

  /** Drops the records below `before`, or as many of them as `step` allows, one at least. */
  trim(before: number, step: TrimStep = wholeTrim): void {
    const end = Math.min(before, this.state.next);
    let { first, liveBytes } = this.state;
    if (end <= first) return;
    let [bytes, sharedBytes] = [0, 0];
    const range = { start: [first], end: [end], ...(step.records < Infinity && { limit: step.records }) };
    const keys = Array.from(this.#file.table(recordsTable).getKeys(range)) as RecordKey[];
    for (const key of keys) {
      const [position, cost] = key;
      bytes += cost;
      if (!hasOwnPages(cost)) sharedBytes += cost;
      if (first > this.state.first && (bytes > step.bytes || sharedBytes > step.sharedBytes)) break;
      this.#file.remove(recordsTable, key, cost);
      first = position + 1;
      liveBytes -= cost;
    }
    this.state = { ...this.state, first, liveBytes };
  }
}

/** How much one transaction drops: what it must write for that grows with each of these. */
export interface TrimStep {
  readonly records: number;
  readonly bytes: number;
  /** Of records that share pages with others. */
  readonly sharedBytes: number;
}

const wholeTrim: TrimStep = { records: Infinity, bytes: Infinity, sharedBytes: Infinity };
