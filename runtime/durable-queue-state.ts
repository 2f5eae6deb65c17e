import { randomUUID } from "node:crypto";
import { MarsadError } from "./errors.ts";
import type { LmdbFile } from "./lmdb-file.ts";

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
  void file.writableTable(stateTable).put(stateKey, Buffer.from(JSON.stringify(state)));
}

/** lmdb keeps values beyond half a page on pages of their own. */
const pageBytes = 4096;
const pageHeaderBytes = 16;
const largestInline = 2000;
const keyBytes = 32;

/** What a record takes in the file, about. It stands in its key, so that trimming need not read the record. */
function costOf(record: Uint8Array): number {
  if (record.length <= largestInline) return record.length + keyBytes;
  return Math.ceil((record.length + pageHeaderBytes) / pageBytes) * pageBytes + keyBytes;
}

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
    const cost = costOf(record);
    void this.#file.writableTable(recordsTable).put([next, cost], record);
    this.appendedBytes += cost;
    this.state = { ...this.state, next: next + 1, liveBytes: liveBytes + cost };
    return next;
  }

  trim(before: number, limit: number): void {
    const end = Math.min(before, this.state.next);
    let { first, liveBytes } = this.state;
    if (end <= first) return;
    const records = this.#file.writableTable(recordsTable);
    const keys = Array.from(
      records.getKeys({ start: [first], end: [end], ...(limit < Infinity && { limit }) }),
    );
    for (const key of keys as RecordKey[]) {
      void records.remove(key);
      first = key[0] + 1;
      liveBytes -= key[1];
    }
    this.state = { ...this.state, first, liveBytes };
  }
}
