import { statSync } from "node:fs";
import { MarsadError } from "./errors.ts";
import type { LmdbFile } from "./lmdb-file.ts";

/**
 * Keeps an lmdb file to a size: lmdb itself grows the file without a bound, never shrinks it, and tells beforehand
 * neither whether a commit will grow it nor which free pages lie together. So beyond the bound this watches: a commit
 * that grew the file although pages were free shows that so much of it cannot be used at a time.
 */
export class FileBound {
  readonly #file: LmdbFile;
  readonly #path: string;
  readonly #maxBytes: number;
  #seenBytes: number;
  /** Of a file at its bound, how much may be in use before a commit is refused. */
  #usableBytes: number;

  constructor(file: LmdbFile, path: string, maxBytes: number) {
    this.#file = file;
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#usableBytes = maxBytes;
    this.#seenBytes = this.fileBytes;
  }

  get fileBytes(): number {
    return statSync(this.#path).size;
  }

  /**
   * At the end of a transaction that added about `addedBytes`.
   * @throws MarsadError QUEUE_FULL: it might grow the file beyond the bound.
   */
  check(addedBytes: number): void {
    // Twice: pages that are copied on write, and the trees above.
    if (this.#seenBytes + 2 * addedBytes <= this.#maxBytes) return;
    const used = this.#file.usedBytes();
    // Nearly empty, so that the free pages lie together again.
    if (used < this.#maxBytes / 8 && this.#seenBytes < this.#maxBytes * 1.25)
      this.#usableBytes = this.#maxBytes;
    if (used + addedBytes <= this.#usableBytes) return;
    throw new MarsadError(
      "QUEUE_FULL",
      `${this.#path} has ${this.#seenBytes} bytes of at most ${this.#maxBytes}, ${used} of them in use`,
    );
  }

  /** After each commit that added something. */
  learn(): void {
    const size = this.fileBytes;
    if (size > this.#maxBytes && size > this.#seenBytes) this.#usableBytes = this.#file.usedBytes() * (7 / 8);
    this.#seenBytes = size;
  }
}
