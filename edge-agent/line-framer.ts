import type { LineIntake } from "./line-intake.ts";

const NEWLINE = 0x0a;
const nothing = Buffer.alloc(0);

/** Cuts one sender's byte stream into whole lines; keeps the beginning of a line until the rest has come. */
export class LineFramer {
  /** Lines left out: longer than allowed, or without an end when the stream ended. */
  rejected = 0;

  readonly #intake: LineIntake;
  readonly #maxLineBytes: number;
  #carry: Buffer = nothing;
  #skipping = false;

  constructor(intake: LineIntake, maxLineBytes: number) {
    this.#intake = intake;
    this.#maxLineBytes = maxLineBytes;
  }

  /** @param arrival  Milliseconds since 1970, for lines without a time. */
  push(chunk: Buffer, arrival: number): void {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last === -1) {
      this.#keep(chunk);
      return;
    }
    let from = 0;
    if (this.#skipping || this.#carry.length > 0) {
      from = chunk.indexOf(NEWLINE) + 1;
      if (!this.#skipping) {
        const line = Buffer.concat([this.#carry, chunk.subarray(0, from)]);
        this.#intake.take(line, 0, line.length, arrival);
      }
      this.#skipping = false;
      this.#carry = nothing;
    }
    this.#intake.take(chunk, from, last + 1, arrival);
    this.#keep(chunk.subarray(last + 1));
  }

  /** The stream has ended: a line without its newline may be cut short, so it is not taken. */
  end(): void {
    if (this.#carry.length > 0) this.rejected += 1;
    this.#carry = nothing;
    this.#skipping = false;
  }

  #keep(rest: Buffer): void {
    if (this.#skipping || rest.length === 0) return;
    if (this.#carry.length + rest.length > this.#maxLineBytes) {
      this.rejected += 1;
      this.#carry = nothing;
      this.#skipping = true;
      return;
    }
    this.#carry = Buffer.concat([this.#carry, rest]); // a copy also of `rest` alone: it must not hold the whole chunk
  }
}
