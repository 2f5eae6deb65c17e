import type { JournalRange } from "./messages.ts";

/**
 * Blocks just committed, so that a store which keeps up is given them from memory: read back from the file they cost 0.1 CPU-seconds per million
 * readings. Bounded in bytes; when it is full, or a block was handed out before, the file has it all the same. The oldest stay, since they are asked
 * for first.
 */
export class RecentBlocks {
  readonly #maxBytes: number;
  readonly #blocks = new Map<number, ArrayBuffer>();
  #bytes = 0;
  #idle = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Held, with what was set aside by `reserve`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sets room aside for a block that is being committed; false: there is none. Ends with `put` or `release`. */
  reserve(bytes: number): boolean {
    if (this.#idle || this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** The block at `position`, for which room was reserved, is on disk. Taken over. */
  put(position: number, block: ArrayBuffer): void {
    if (this.#idle) this.release(block.byteLength);
    else this.#blocks.set(position, block);
  }

  /** The store takes nothing: what it will be given later, the file has. Until `wake` nothing is held. */
  sleep(): void {
    this.#idle = true;
    for (const { byteLength } of this.#blocks.values()) this.release(byteLength);
    this.#blocks.clear();
  }

  wake(): void {
    this.#idle = false;
  }

  /** Hands out the blocks from `from` on, at least one, about `maxBytes` at most, up to the first that is not here; undefined: `from` is not. */
  take(from: number, maxBytes: number): JournalRange | undefined {
    const blocks: ArrayBuffer[] = [];
    let bytes = 0;
    let next = from;
    for (; bytes < maxBytes; next += 1) {
      const block = this.#blocks.get(next);
      if (block === undefined || (next > from && bytes + block.byteLength > maxBytes)) break;
      blocks.push(block);
      bytes += block.byteLength;
      this.#blocks.delete(next);
    }
    this.#bytes -= bytes;
    return blocks.length === 0 ? undefined : { first: from, next, blocks };
  }

  /** Nobody asks for blocks before `position` any more. */
  forgetBefore(position: number): void {
    // In the order they were put, which is that of their positions.
    for (const [at, block] of this.#blocks) {
      if (at >= position) return;
      this.#blocks.delete(at);
      this.#bytes -= block.byteLength;
    }
  }
}
