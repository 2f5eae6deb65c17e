import type { SeriesHandle } from "../decode.ts";

/** What a key's hash begins with; see `hashByte`. */
export const hashSeed = 0x811c9dc5 | 0;

/** FNV-1a, a byte at a time, so that the scanner hashes a key while it looks for its end. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/**
 * The known series of one agency by the bytes of their keys (`measurement,sensor=id`). Entries are numbers from 0; what an entry stands
 * for lies in columns. At most some 130 bytes a series (keys of 35 bytes): no object, no string.
 */
export class SeriesIndex {
  /** Entries in use. */
  size = 0;
  /** By entry: the measurement's index in the catalogue, the series' number, the number of the gateway that owns the sensor. */
  measurement = new Uint16Array(firstCapacity);
  series = new Uint32Array(firstCapacity);
  gateway = new Uint32Array(firstCapacity);

  #hash = new Int32Array(firstCapacity);
  #keyStart = new Uint32Array(firstCapacity);
  #keyLength = new Uint16Array(firstCapacity);
  #keys = new Uint8Array(firstCapacity * 32);
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
    while (this.#keysEnd + length > this.#keys.length)
      this.#keys = grown(this.#keys, new Uint8Array(this.#keys.length * 2));
    const entry = this.size;
    this.size += 1;
    this.measurement[entry] = measurement;
    this.series[entry] = handle.series;
    this.gateway[entry] = handle.gateway;
    this.#hash[entry] = hash;
    this.#keyStart[entry] = this.#keysEnd;
    this.#keyLength[entry] = length;
    this.#keys.set(bytes.subarray(start, end), this.#keysEnd);
    this.#keysEnd += length;
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
