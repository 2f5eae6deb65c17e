import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from "node:fs";

/**
 * Room kept back on a disk for what must work when it is full: trimming a queue writes a few pages before it frees any.
 * A file of `bytes` zeros, given up when needed and made again when there is room.
 */
export class DiskReserve {
  readonly #file: string;
  readonly #bytes: number;

  constructor(file: string, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Makes it if it is not there. @returns whether it is there now. */
  restore(): boolean {
    if ((statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) >= this.#bytes) return true;
    try {
      this.#write();
      return true;
    } catch {
      // No room at present; a part of it would only be in the way.
      this.release();
      return false;
    }
  }

  /** Gives the room up. */
  release(): void {
    rmSync(this.#file, { force: true });
  }

  #write(): void {
    const fd = openSync(this.#file, "w", 0o600);
    try {
      const zeros = Buffer.alloc(this.#bytes);
      for (let written = 0; written < zeros.length;) written += writeSync(fd, zeros, written);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}
