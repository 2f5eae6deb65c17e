import { MarsadError } from "./errors.ts";
import type { LmdbFile } from "./lmdb-file.ts";

/**
 * Keeps the used part of an lmdb file to a size: lmdb itself grows the file without a bound, never shrinks it, and tells
 * beforehand neither whether a commit will grow it nor which free pages lie together. So beyond the bound this watches: a
 * commit that grew the file although pages were free shows that so much of it cannot be used at a time.
 */
export class FileBound {
  readonly #file: LmdbFile;
  readonly #path: string;
  readonly #maxBytes: number;
  #endBytes: number;
  /** Of a file at its bound, how much may be in use before a commit is refused. */
  #usableBytes: number;

  constructor(file: LmdbFile, path: string, maxBytes: number) {
    this.#path = path;
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#usableBytes = maxBytes;
    this.#endBytes = file.sizes().endBytes;
  }

  /**
   * At the end of a transaction that added about `addedBytes`.
   * @throws MarsadError QUEUE_FULL: it might grow the file beyond the bound.
   */
  check(addedBytes: number): void {
    // Twice: pages that are copied on write, and the trees above.
    if (this.#endBytes + 2 * addedBytes <= this.#maxBytes) return;
    const { usedBytes } = this.#file.sizes();
    // Nearly empty, so that the free pages lie together again.
    if (usedBytes < this.#maxBytes / 8 && this.#endBytes < this.#maxBytes * 1.25)
      this.#usableBytes = this.#maxBytes;
    if (usedBytes + addedBytes <= this.#usableBytes) return;
    throw new MarsadError(
      "QUEUE_FULL",
      `the file of ${this.#path} has ${this.#endBytes} bytes of at most ${this.#maxBytes}, ${usedBytes} of them in use`,
    );
  }

  /** After each commit that added something. */
  learn(): void {
    const { endBytes, usedBytes } = this.#file.sizes();
    if (endBytes > this.#maxBytes && endBytes > this.#endBytes) this.#usableBytes = usedBytes * (7 / 8);
    this.#endBytes = endBytes;
  }
}
