/**
 * Messages that were taken and are not acknowledged, oldest first: packet id and frame bytes of each, in a ring of numbers.
 * A packet id of 0 is a QoS 0 message, which is counted but has no PUBACK.
 */
export class InFlight {
  #packetIds = new Uint16Array(16);
  #frameBytes = new Uint32Array(16);
  #head = 0;
  #length = 0;
  #bytes = 0;

  get length(): number {
    return this.#length;
  }

  /** Frame bytes of all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  push(packetId: number, frameBytes: number): void {
    if (this.#length === this.#packetIds.length) this.#grow();
    const at = (this.#head + this.#length) & (this.#packetIds.length - 1);
    this.#packetIds[at] = packetId;
    this.#frameBytes[at] = frameBytes;
    this.#length++;
    this.#bytes += frameBytes;
  }

  /** Takes the newest back out and returns its packet id. */
  pop(): number {
    if (this.#length === 0) throw new RangeError("nothing is in flight");
    this.#length--;
    const at = (this.#head + this.#length) & (this.#packetIds.length - 1);
    this.#bytes -= this.#frameBytes[at] ?? 0;
    return this.#packetIds[at] ?? 0;
  }

  /** Takes the oldest out and returns its packet id. */
  shift(): number {
    if (this.#length === 0) throw new RangeError("nothing is in flight");
    const at = this.#head;
    this.#head = (at + 1) & (this.#packetIds.length - 1);
    this.#length--;
    this.#bytes -= this.#frameBytes[at] ?? 0;
    return this.#packetIds[at] ?? 0;
  }

  #grow(): void {
    const size = this.#packetIds.length;
    const packetIds = new Uint16Array(size * 2);
    const frameBytes = new Uint32Array(size * 2);
    for (let i = 0; i < this.#length; i++) {
      const at = (this.#head + i) & (size - 1);
      packetIds[i] = this.#packetIds[at] ?? 0;
      frameBytes[i] = this.#frameBytes[at] ?? 0;
    }
    this.#packetIds = packetIds;
    this.#frameBytes = frameBytes;
    this.#head = 0;
  }
}
