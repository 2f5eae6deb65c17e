/**
 * The open batch: whole lines, each ended by a newline, in one buffer that is filled and emptied again and again.
 * It knows nothing of readings' numbers; the spool puts the header before its bytes when it is sealed.
 */
export class BatchBuffer {
  /** Lines in it. */
  count = 0;
  length = 0;
  #bytes: Buffer;

  /** @param capacity  Bytes of lines; a line longer than this never fits. */
  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Another capacity; only while it is empty. */
  resize(capacity: number): void {
    if (this.length > 0) throw new RangeError("a batch with lines in it cannot be resized");
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get room(): number {
    return this.#bytes.length - this.length;
  }

  /** Copies `source[from, to)`, which holds `lines` whole lines or, with 0, a piece of one. The caller has seen that there is room. */
  append(source: Buffer, from: number, to: number, lines: number): void {
    source.copy(this.#bytes, this.length, from, to);
    this.length += to - from;
    this.count += lines;
  }

  /** What is in it behind `header`, as a buffer of its own; the batch is empty then. */
  take(header: Buffer): Buffer {
    const whole = Buffer.allocUnsafeSlow(header.length + this.length);
    header.copy(whole, 0);
    this.#bytes.copy(whole, header.length, 0, this.length);
    this.length = 0;
    this.count = 0;
    return whole;
  }
}
