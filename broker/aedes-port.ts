import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** The connection behind an `AedesPort`. */
export interface PortOwner {
  /** aedes wants more. */
  aedesReads(): void;
  /** aedes has written to the socket. */
  aedesWrote(): void;
  /** aedes is done with the client. */
  aedesClosed(): void;
}

/**
 * What aedes takes for a client's socket: it reads the frames that the splitter leaves to it, and its writes go to the real
 * one. Only whole packets do (it corks the stream while it writes one, and a cork ends in one `_writev`), so that PUBACKs and
 * copies, which go around aedes, never land inside a packet.
 */
export class AedesPort<Owner extends PortOwner> extends Duplex {
  readonly owner: Owner;
  readonly #socket: Socket;

  constructor(owner: Owner, socket: Socket, outputBytes: number) {
    super({ writableHighWaterMark: outputBytes, decodeStrings: true });
    this.owner = owner;
    this.#socket = socket;
  }

  override _read(): void {
    this.owner.aedesReads();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) return done();
    this.#socket.write(chunk, done);
    this.owner.aedesWrote();
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) return done();
    this.#socket.cork();
    chunks.forEach(({ chunk }, i) => {
      if (i < chunks.length - 1) this.#socket.write(chunk);
      else this.#socket.write(chunk, done);
    });
    this.#socket.uncork();
    this.owner.aedesWrote();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.owner.aedesClosed();
    done(error);
  }
}
