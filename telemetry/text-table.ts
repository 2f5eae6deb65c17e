/**
 * Texts in order of their coming, numbered from 0, as bytes one behind another: 4 bytes and its own for each text, against some 60 for a
 * string and as many again in a `Map`. A million sensors are known by name in several places.
 */
export class TextColumn {
  #bytes: Buffer<ArrayBuffer>;
  /** Where each text ends; the next begins there. */
  #ends: Uint32Array<ArrayBuffer>;
  #size: number;

  /** @param content  Of `take`; its buffers are this column's from now on. */
  constructor(content?: TextContent) {
    this.#bytes = content ? asBuffer(content.bytes) : zeros(firstCapacity * 16);
    this.#ends = content?.ends ?? new Uint32Array(firstCapacity);
    this.#size = content?.ends.length ?? 0;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns the text's number. */
  push(text: string): number {
    const start = this.#start(this.#size);
    // A UTF-16 unit takes three bytes at most.
    const room = start + 3 * text.length;
    if (room > this.#bytes.length)
      this.#bytes = grown(this.#bytes, zeros(Math.max(room, 2 * this.#bytes.length)));
    if (this.#size === this.#ends.length)
      this.#ends = grown(this.#ends, new Uint32Array(2 * Math.max(firstCapacity, this.#size)));
    this.#ends[this.#size] = this.#write(text, start);
    this.#size += 1;
    return this.#size - 1;
  }

  /** Takes back the last one. */
  pop(): void {
    this.#size -= 1;
  }

  get(number: number): string {
    return this.#bytes.toString("utf8", this.#start(number), this.#ends[number]);
  }

  /** FNV-1a of the text's bytes. */
  hash(number: number): number {
    let hash = 0x811c9dc5 | 0;
    for (let at = this.#start(number), end = this.#ends[number]!; at < end; at += 1)
      hash = Math.imul(hash ^ this.#bytes[at]!, 0x01000193);
    // The low bits are FNV's weak ones.
    return hash ^ (hash >>> 15);
  }

  areEqual(a: number, b: number): boolean {
    const bytes = this.#bytes;
    const startOfA = this.#start(a);
    const startOfB = this.#start(b);
    const length = this.#ends[a]! - startOfA;
    if (this.#ends[b]! - startOfB !== length) return false;
    // From the end: names of one kind differ there.
    for (let i = length - 1; i >= 0; i -= 1) if (bytes[startOfA + i] !== bytes[startOfB + i]) return false;
    return true;
  }

  /** Are the first texts those of `other`, in their order? */
  beginsWith(other: TextColumn): boolean {
    const end = other.#start(other.#size);
    return (
      other.#size <= this.#size &&
      haveSameBytes(this.#ends.subarray(0, other.#size), other.#ends.subarray(0, other.#size)) &&
      haveSameBytes(this.#bytes.subarray(0, end), other.#bytes.subarray(0, end))
    );
  }

  /** A copy of all of it, to be sent to another thread. */
  copy(): TextContent {
    const bytes = new Uint8Array(this.#start(this.#size));
    bytes.set(this.#bytes.subarray(0, bytes.length));
    return { bytes, ends: this.#ends.slice(0, this.#size) };
  }

  /** Bytes held. */
  get byteLength(): number {
    return this.#bytes.byteLength + this.#ends.byteLength;
  }

  /** @returns the end. Names are ASCII, mostly: a loop costs a fifth of calling the encoder. */
  #write(text: string, start: number): number {
    const bytes = this.#bytes;
    for (let i = 0; i < text.length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return start + bytes.write(text, start, "utf8");
      bytes[start + i] = unit;
    }
    return start + text.length;
  }

  #start(number: number): number {
    return number === 0 ? 0 : this.#ends[number - 1]!;
  }
}

export interface TextContent {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** Finds the texts of a column, which are all different: 8 to 16 bytes each. */
export class TextIndex {
  readonly #column: TextColumn;
  /** Open addressing: number + 1 at the place that the hash says, or at the next free one; 0 is free. At most half full. */
  #slots = new Uint32Array(2 * firstCapacity);

  /** @throws RangeError when a text is there twice */
  constructor(column: TextColumn) {
    this.#column = column;
    if (!this.#build(column.size)) throw new RangeError("a text is there twice");
  }

  /** The number of `text`, or -1. */
  find(text: string): number {
    // Asked about at the column's end, where it would stand.
    const probe = this.#column.push(text);
    const slot = this.#slotOf(probe);
    this.#column.pop();
    return this.#slots[slot]! - 1;
  }

  /** Adds a text that may be there. @returns its number. */
  add(text: string): number {
    const number = this.#column.push(text);
    const slot = this.#slotOf(number);
    const known = this.#slots[slot]! - 1;
    if (known >= 0) {
      this.#column.pop();
      return known;
    }
    this.#slots[slot] = number + 1;
    if (2 * this.#column.size > this.#slots.length) this.#build(this.#column.size);
    return number;
  }

  /** Bytes held, without the column's. */
  get byteLength(): number {
    return this.#slots.byteLength;
  }

  /** Where the text stands or would stand. */
  #slotOf(number: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = this.#column.hash(number) & mask;
    while (slots[slot] !== 0 && !this.#column.areEqual(slots[slot]! - 1, number)) slot = (slot + 1) & mask;
    return slot;
  }

  #build(size: number): boolean {
    let length = this.#slots.length;
    while (length < 2 * size) length *= 2;
    this.#slots = new Uint32Array(length === this.#slots.length && size > 0 ? 2 * length : length);
    for (let number = 0; number < size; number += 1) {
      const slot = this.#slotOf(number);
      if (this.#slots[slot] !== 0) return false;
      this.#slots[slot] = number + 1;
    }
    return true;
  }
}

export function haveSameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return asBuffer(a).equals(asBuffer(b));
}

function asBuffer({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer<ArrayBuffer> {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Not of Node's pool: its memory is its own. */
function zeros(length: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(length));
}

const firstCapacity = 256;

function grown<Column extends { set(from: Column): void }>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
