import type { SeriesTable } from "#telemetry/series-table.ts";
import type { Policy, QueryAnswer, QueryRequest } from "./query.ts";
import type { DirtyHour, ResultBatch, RowPiece, RowsQuery } from "./results.ts";

/**
 * Where readings are kept. Measurement, series and time are the key; what comes twice is stored once; fields merge
 * one by one and the last arrival wins.
 *
 * Calls may overlap; an adapter serialises what it must. Errors: `MarsadError` with `STORE_UNAVAILABLE` (try again
 * later, nothing of the batch is lost), `STORE_FULL` (the same, the disk is full), `STORE_LOCKED` (another process
 * has it open), `STORE_FORMAT` (written by a newer version).
 */
export interface Store extends AsyncDisposable {
  readonly kind: "duckdb" | "influxdb";
  /** Batches that are best given to it as one, if so many come before the oldest is due: a larger write costs more memory, and less a reading where this is above 1. */
  readonly batchesAtOnce: number;
  /** The position after the last block stored from this journal; 0 for a journal never seen. */
  position(journal: string): Promise<number>;
  /**
   * Writes the batch: when it resolves, rows, dictionary entries, tallies, what was refused, and position are on disk. When it rejects,
   * the batch may be given again, whole. A reading that the store can never keep is refused, and the rest of the batch is stored.
   */
  write(batch: StoreBatch): Promise<StoreOutcome>;
  /** What was refused of a journal's blocks and not forgotten yet, in their order. */
  refusals(journal: string): Promise<StoreRefusal[]>;
  /** Refusals of blocks before `before` are in good hands; nobody asks for them again. */
  forgetRefusals(journal: string, before: number): Promise<void>;
  /** The store's copy of the series dictionary, by number. */
  series(): Promise<SeriesTable>;
  /** What was made of each gateway's readings since this store began. */
  tallies(): Promise<GatewayTally[]>;
  /** One measurement's readings by series and time; see `ReadingQuery`. */
  read(query: ReadingQuery): Promise<ReadingRows>;
  /** Rows in all tables: distinct (series, time). Of readings alone. */
  count(): Promise<number>;
  /**
   * Answers InfluxQL as InfluxDB does; writes nothing.
   * @throws MarsadError STORE_UNAVAILABLE, and `REFUSED` when too many queries wait
   */
  query(request: QueryRequest): Promise<QueryAnswer>;
  /** When it resolves, all of it is on disk; when it rejects, all or none of a batch is, and it may be given again. */
  writeResults(batches: readonly ResultBatch[]): Promise<void>;
  /** Rows as they are stored, for jobs: a snapshot of each piece, not of all. */
  rows(query: RowsQuery): AsyncIterable<RowPiece>;
  /** What is to be rolled up (again), the newest first: of each measurement 2,000 hours at most, and when these are clean, others. */
  dirty(): Promise<DirtyHour[]>;
  /** These are rolled up as of their marks. */
  clean(hours: readonly DirtyHour[]): Promise<void>;
  /** Forgets a policy's rows from before `before` (ms since 1970), roughly: whole tables or shards. @returns what went, in words */
  expire(policy: Policy, before: number): Promise<string[]>;
  /** Why it takes nothing at present, as far as it knows without being asked to write. */
  trouble(): string | undefined;
  /** For a store whose files are in the data folder and are no lmdb: keeps in them what it has now, while writing goes on. */
  hold?(): Promise<StoreHold>;
}

/** Lets another process copy the store's files. One at a time. */
export interface StoreHold {
  /** Files of the store's folder; the first `bytes` of each are the store as it was when the hold began. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** Rows that a copy must have. */
  readonly rows: number;
  /** @returns whether the files kept it all the while. */
  release(): Promise<boolean>;
}

/** Blocks `first` … `next - 1` of a journal; `blocks` are `telemetry/block.ts` bytes and are given away (transferred). */
export interface StoreBatch {
  readonly journal: string;
  readonly first: number;
  readonly next: number;
  readonly blocks: readonly ArrayBuffer[];
}

export interface StoreOutcome {
  /** The position after this batch. A batch whose blocks were stored before changes nothing and reports no tallies. */
  readonly position: number;
  readonly tallies: readonly GatewayTally[];
  /** In no tally. Kept by the store, too, until they are forgotten. */
  readonly refused: readonly StoreRefusal[];
}

/** Readings of one gateway and one block that a store refused for one reason. */
export interface StoreRefusal {
  /** Of their block, in its journal. */
  readonly position: number;
  readonly gateway: string;
  /** The sensors'. */
  readonly agency: string;
  /** Why, for people: in the store's own words. */
  readonly detail: string;
  readonly readings: number;
  /** As a gateway may send them: line protocol, one reading a line, no newline at the end. */
  readonly lines: string;
}

/** Readings of one gateway: `stored` counts new and merged ones, `merged` those of them that met an existing key. */
export interface GatewayTally {
  readonly gateway: string;
  readonly stored: number;
  readonly merged: number;
  readonly duplicate: number;
}

export interface ReadingQuery {
  readonly measurement: string;
  /** Series numbers; at least one. */
  readonly series: readonly number[];
  /** Milliseconds since 1970, inclusive. */
  readonly from: number;
  /** Milliseconds since 1970, exclusive. */
  readonly to: number;
  readonly limit: number;
  readonly order: "asc" | "desc";
}

/** Rows as columns, ordered by time, then series. A missing field is null. */
export interface ReadingRows {
  readonly fields: readonly string[];
  readonly time: readonly number[];
  readonly series: readonly number[];
  readonly values: readonly (readonly (number | boolean | string | null)[])[];
}
