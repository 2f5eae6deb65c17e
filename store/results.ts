import type { Policy } from "./query.ts";

/**
 * Rows that the platform's own jobs compute, each with a value. Written again they replace, field by field, what was there. 10,000 to 20,000 rows are best: the store's writer
 * takes a batch at once, readings wait meanwhile.
 */
export interface ResultBatch {
  readonly policy: Policy;
  /** A roll-up has its readings' measurement; other results those of `telemetry/results.ts`. */
  readonly measurement: string;
  readonly fields: readonly ResultField[];
  /** ms since 1970, one a row; with the series it is the key. */
  readonly time: Float64Array;
  /** Of roll-ups: the readings' series numbers; of others: places in `tagSets`. */
  readonly series: Uint32Array;
  /** Only of results that are no roll-up: whole tag sets. */
  readonly tagSets?: readonly Readonly<Record<string, string>>[];
}

export type ResultField =
  /** NaN: absent. Booleans are 0 and 1. */
  | { readonly name: string; readonly type: "float" | "integer" | "boolean"; readonly values: Float64Array }
  | { readonly name: string; readonly type: "string"; readonly values: readonly (string | null)[] };

/** Rows of one measurement (readings, or their roll-ups), those of a series together and by time, in pieces; a series may go on in the next piece. */
export interface RowPiece {
  readonly series: Uint32Array;
  readonly time: Float64Array;
  readonly fields: readonly { readonly name: string; readonly values: Float64Array }[];
}

/** What of it is moved, not copied, when it crosses threads. */
export function buffersOf({ series, time, fields }: RowPiece): ArrayBuffer[] {
  return [series, time, ...fields.map(({ values }) => values)].map(({ buffer }) => buffer as ArrayBuffer);
}

export interface RowsQuery {
  readonly policy: Policy;
  readonly measurement: string;
  /** ms since 1970, [from, to). */
  readonly from: number;
  readonly to: number;
  /** Undefined: all. */
  readonly series?: readonly number[];
  /** Undefined: all fields. */
  readonly fields?: readonly string[];
}

/** Hours of a measurement that `dirty` tells at a time: more are a store of before, whose hours are all to be rolled up. */
export const mostDirtyHours = 2_000;

/** Minutes of an hour in which readings were stored since the mark before; kept in the same transaction as the readings. */
export interface DirtyHour {
  readonly measurement: string;
  /** Its beginning, ms since 1970, UTC. */
  readonly hour: number;
  /** 60 of them, 1: dirty. */
  readonly minutes: Uint8Array;
  /**
   * Raised with each change. `clean` forgets the minutes it is given and no others (the running minute is not rolled up yet while the one
   * before it is), and of them those in which nothing was stored since this mark.
   */
  readonly mark: number;
}
