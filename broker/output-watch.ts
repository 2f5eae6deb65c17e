import type { Socket } from "node:net";

export interface OutputWatchParts {
  readonly socket: Socket;
  /** `BrokerLimits`. */
  readonly limits: { readonly outputBytes: number; readonly outputTimeout_ms: number };
  /** As much as it may hold waits for the peer: read no more of it, or do again. Called on changes only. */
  readonly setFull: (full: boolean) => void;
  /** The peer takes too little. */
  readonly onStuck: () => void;
}

/** Watches whether a peer takes what it is sent: PUBACKs and what aedes writes, which stop its being read, and copies, which are dropped instead. */
export class OutputWatch {
  readonly #parts: OutputWatchParts;
  #timer: NodeJS.Timeout | undefined;
  /** What the peer had taken when the timer began. */
  #takenBefore = 0;
  #full = false;

  constructor(parts: OutputWatchParts) {
    this.#parts = parts;
  }

  /** Something was written that must not be dropped. */
  wrote(): void {
    const { socket, limits, setFull } = this.#parts;
    if (this.#full || !socket.writableNeedDrain || socket.writableLength < limits.outputBytes) return;
    this.#full = true;
    setFull(true);
    this.#begin();
  }

  /** Something was dropped, since so much waits already. */
  dropped(): void {
    this.#begin();
  }

  /** The peer has taken all. */
  drained(): void {
    this.end();
    if (!this.#full) return;
    this.#full = false;
    this.#parts.setFull(false);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #begin(): void {
    if (this.#timer !== undefined || this.#parts.socket.destroyed) return;
    this.#takenBefore = this.#taken;
    this.#timer = setTimeout(() => this.#look(), this.#parts.limits.outputTimeout_ms);
  }

  /** Copies come without end, so that what waits for a peer that is merely slow may never be nothing. */
  #look(): void {
    this.#timer = undefined;
    const taken = this.#taken - this.#takenBefore;
    // One packet may have been too large beside little that waited: no "drain" tells when so little has been taken.
    if (this.#parts.socket.writableLength === 0) return;
    if (taken < this.#parts.limits.outputBytes) this.#parts.onStuck();
    else if (this.#full) this.#begin();
  }

  /** Bytes since the connection began. */
  get #taken(): number {
    const { bytesWritten, writableLength } = this.#parts.socket;
    return bytesWritten - writableLength;
  }
}
