import type { RangeOptions } from "lmdb";
import type { LmdbFile, LmdbTable } from "./lmdb-file.ts";

/** Ordered: numbers before strings, arrays element by element. Up to 1 kB. */
export type TableKey = string | number | (string | number)[];

export interface TableRange {
  /** First key, included. */
  readonly start?: TableKey;
  /** Last key, not included. */
  readonly end?: TableKey;
  readonly limit?: number;
  /** From the last to the first; `start` and `end` mean the same. */
  readonly reverse?: boolean;
}

export interface TableEntry<V> {
  readonly key: TableKey;
  readonly value: V;
}

/** A named table beside a queue's records, in the same file. Values are copies. */
export interface Table<V = Uint8Array> {
  get(key: TableKey): V | undefined;
  range(range?: TableRange): TableEntry<V>[];
  /** Without reading the values. */
  keys(range?: TableRange): TableKey[];
}

/** The same inside a commit, whose own changes it sees. */
export interface TableWriter<V = Uint8Array> extends Table<V> {
  put(key: TableKey, value: V): void;
  remove(key: TableKey): void;
  /** @returns how many there were. */
  removeRange(range: TableRange): number;
}

/** How a table's values are kept. */
export interface Codec<V> {
  encode(value: V): Uint8Array;
  /** `bytes` is a copy of its own. */
  decode(bytes: Uint8Array<ArrayBuffer>): V;
}

export const bytesCodec: Codec<Uint8Array> = { encode: (value) => value, decode: (bytes) => bytes };

const text = { encoder: new TextEncoder(), decoder: new TextDecoder() };
/** Values that JSON can say; what comes back is for the caller to check. */
export const jsonCodec: Codec<unknown> = {
  encode: (value) => text.encoder.encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(text.decoder.decode(bytes)) as unknown,
};

/** What lmdb-js' `getBinary` and `getRange` answer is a copy already, but a `Buffer`, and not always alone in its memory. */
export function plainBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const alone = bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.length;
  if (alone && bytes.buffer instanceof ArrayBuffer) return new Uint8Array(bytes.buffer);
  const copy = new Uint8Array(bytes.length);
  // subarray: for large values lmdb-js sets a `length` of its own, which is not the one that `set` looks at.
  copy.set(bytes.subarray(0, bytes.length));
  return copy;
}

export class QueueTable<V> implements TableWriter<V> {
  readonly #file: LmdbFile;
  readonly #name: string;
  readonly #codec: Codec<V>;

  constructor(file: LmdbFile, name: string, codec: Codec<V>) {
    this.#file = file;
    this.#name = name;
    this.#codec = codec;
  }

  get(key: TableKey): V | undefined {
    return this.#file.read(() => {
      const bytes = this.#table().getBinary(key);
      return bytes === undefined ? undefined : this.#codec.decode(plainBytes(bytes));
    });
  }

  range(range: TableRange = {}): TableEntry<V>[] {
    return this.#file.read(() =>
      Array.from(this.#table().getRange(lmdbRange(range)), ({ key, value }) => ({
        key,
        value: this.#codec.decode(plainBytes(value)),
      })),
    );
  }

  keys(range: TableRange = {}): TableKey[] {
    return this.#file.read(() => Array.from(this.#table().getKeys(lmdbRange(range))));
  }

  put(key: TableKey, value: V): void {
    this.#file.put(this.#name, key, this.#codec.encode(value));
  }

  remove(key: TableKey): void {
    this.#file.remove(this.#name, key);
  }

  removeRange(range: TableRange): number {
    const keys = this.keys(range);
    for (const key of keys) this.remove(key);
    return keys.length;
  }

  #table(): LmdbTable {
    return this.#file.table(this.#name);
  }
}

/** lmdb-js turns both ends around for `reverse`, and includes the upper one. */
function lmdbRange({ start, end, limit, reverse }: TableRange): RangeOptions {
  const limited = limit === undefined ? {} : { limit };
  if (reverse !== true)
    return { ...limited, ...(start !== undefined && { start }), ...(end !== undefined && { end }) };
  return {
    ...limited,
    reverse,
    ...(end !== undefined && { start: end, exclusiveStart: true }),
    ...(start !== undefined && { end: start, inclusiveEnd: true }),
  };
}
