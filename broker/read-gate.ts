/** Why a connection's socket is not read; bits. */
export const pauses = {
  /** The CONNECT is being answered. */
  connecting: 1,
  /** The bound on bytes in flight. */
  inFlight: 2,
  /** aedes has enough to do. */
  aedes: 4,
  /** The peer does not read what it is sent. */
  output: 8,
  /** The broker is closing. */
  closing: 16,
} as const;

/** Something that stands still meanwhile. */
interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

/** Lets a connection's bytes through while there is no reason against it: from the socket to the splitter, with the keepalive running. */
export class ReadGate {
  readonly #parts: { readonly socket: Pausable; readonly splitter: Pausable; readonly keepalive: Pausable };
  #reasons = 0;
  #ended = false;

  constructor(parts: { socket: Pausable; splitter: Pausable; keepalive: Pausable }) {
    this.#parts = parts;
  }

  close(why: number): void {
    const { socket, splitter, keepalive } = this.#parts;
    if (this.#reasons === 0) {
      socket.pause();
      keepalive.pause();
    }
    this.#reasons |= why;
    splitter.pause();
  }

  open(why: number): void {
    if ((this.#reasons & why) === 0 || this.#ended) return;
    this.#reasons &= ~why;
    if (this.#reasons !== 0) return;
    const { socket, splitter, keepalive } = this.#parts;
    splitter.resume();
    if (this.#isShut()) return;
    socket.resume();
    keepalive.resume();
  }

  /** The connection is gone. */
  end(): void {
    this.#ended = true;
    this.#parts.keepalive.pause();
  }

  /** What the splitter still had may have closed the gate, or ended the connection. */
  #isShut(): boolean {
    return this.#reasons !== 0 || this.#ended;
  }
}
