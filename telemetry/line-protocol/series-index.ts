import type { SeriesHandle } from "../decode.ts";

/** What a key's hash begins with; see `hashByte`. */
export const hashSeed = 0x811c9dc5 | 0;

/** FNV-1a, a byte at a time, so that the scanner hashes a key while it looks for its end. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/**
 * The known series of one agency by the bytes of their keys (`measurement,sensor=id`). Entries are numbers from 0; what an entry stands
 * for lies in columns. At most some 140 bytes a series (keys of 35 bytes): no object, no string.
 */
export class SeriesIndex {
  /** Entries in use. */
  size = 0;
  /** By entry: the measurement's index in the catalogue, the series' number, the number of the gateway that owns the sensor. */
  measurement = new Uint16Array(firstCapacity);
  series = new Uint32Array(firstCapacity);
  gateway = new Uint32Array(firstCapacity);
  /** By entry: which one came behind it last time, as the index's user noted; any number. */
  follower = new Uint32Array(firstCapacity);

  #hash = new Int32Array(firstCapacity);
  #keyStart = new Uint32Array(firstCapacity);
  #keyLength = new Uint16Array(firstCapacity);
  /** Each key begins at a multiple of 4 and is padded with zeros. */
  #keys = new Uint8Array(firstCapacity * 32);
  #keyWords = new Int32Array(this.#keys.buffer);
  #keysEnd = 0;
  /** Open addressing: entry + 1 where it hashes to, or at the next free place; 0 is free. At most half full. */
  #slots = new Uint32Array(firstCapacity * 2);

  /** The entry of the key `bytes[start, end)`, whose hash is `hash`; -1: not known. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1;
      if (entry === -1) return -1;
      if (this.#hash[entry] === hash && this.#isKey(entry, bytes, start, end)) return entry;
    }
  }

  /**
   * Does the key of `entry` stand at `text[at]`? A guess is told right or wrong four bytes at a time, without a hash.
   * @param text  Little-endian words; 3 bytes behind a key must be readable.
   * @returns the key's length; 0: another key, or no such entry.
   */
  lengthAt(entry: number, text: DataView, at: number): number {
    if (entry >= this.size) return 0;
    const length = this.#keyLength[entry]!;
    const words = this.#keyWords;
    const first = this.#keyStart[entry]! >> 2;
    const whole = length >> 2;
    if (at + length + 4 > text.byteLength) return 0;
    for (let i = 0; i < whole; i += 1) {
      if (text.getInt32(at + 4 * i, true) !== words[first + i]) return 0;
    }
    const rest = length & 3;
    if (rest === 0) return length;
    const mask = (1 << (8 * rest)) - 1;
    return (text.getInt32(at + 4 * whole, true) & mask) === words[first + whole] ? length : 0;
  }

  /** Adds a key that `find` did not find, and returns its entry. */
  add(
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: number,
    measurement: number,
    handle: SeriesHandle,
  ): number {
    if (this.size === this.series.length) this.#growEntries();
    const length = end - start;
    const room = (length + 3) & ~3;
    while (this.#keysEnd + room > this.#keys.length) {
      this.#keys = grown(this.#keys, new Uint8Array(this.#keys.length * 2));
      this.#keyWords = new Int32Array(this.#keys.buffer);
    }
    const entry = this.size;
    this.size += 1;
    this.measurement[entry] = measurement;
    this.series[entry] = handle.series;
    this.gateway[entry] = handle.gateway;
    this.#hash[entry] = hash;
    this.#keyStart[entry] = this.#keysEnd;
    this.#keyLength[entry] = length;
    this.#keys.set(bytes.subarray(start, end), this.#keysEnd);
    this.#keys.fill(0, this.#keysEnd + length, this.#keysEnd + room);
    this.#keysEnd += room;
    this.#place(entry);
    return entry;
  }

  /** Forgets all, keeping the room. */
  clear(): void {
    this.size = 0;
    this.#keysEnd = 0;
    this.#slots.fill(0);
  }

  /** Bytes held. */
  get byteLength(): number {
    const columns = [
      this.measurement,
      this.series,
      this.gateway,
      this.follower,
      this.#hash,
      this.#keyStart,
      this.#keyLength,
    ];
    return [...columns, this.#keys, this.#slots].reduce((sum, column) => sum + column.byteLength, 0);
  }

  #isKey(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#keyLength[entry] !== length) return false;
    const keys = this.#keys;
    const keyStart = this.#keyStart[entry]!;
    // From the end: sensors of one measurement differ there.
    for (let i = length - 1; i >= 0; i -= 1) {
      if (keys[keyStart + i] !== bytes[start + i]) return false;
    }
    return true;
  }

  #place(entry: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = spread(this.#hash[entry]!) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = entry + 1;
  }

  #growEntries(): void {
    const capacity = this.size * 2;
    this.measurement = grown(this.measurement, new Uint16Array(capacity));
    this.series = grown(this.series, new Uint32Array(capacity));
    this.gateway = grown(this.gateway, new Uint32Array(capacity));
    this.follower = grown(this.follower, new Uint32Array(capacity));
    this.#hash = grown(this.#hash, new Int32Array(capacity));
    this.#keyStart = grown(this.#keyStart, new Uint32Array(capacity));
    this.#keyLength = grown(this.#keyLength, new Uint16Array(capacity));
    this.#slots = new Uint32Array(capacity * 2);
    for (let entry = 0; entry < this.size; entry += 1) this.#place(entry);
  }
}

const firstCapacity = 256;

/** FNV's low bits are its weak ones. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}

function grown<Column extends { set(from: Column): void }>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
