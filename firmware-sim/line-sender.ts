import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pRetry from "p-retry";
import { formatAddress, type Address } from "#runtime/address.ts";
import { oncePer, type Log } from "#runtime/log.ts";

/** Lines on their way over TCP to one agent's input. */
export interface LineSender extends AsyncDisposable {
  /**
   * Queues a chunk of whole lines, which the sender keeps. Answers a promise when the queue is full: await it before the next chunk; it
   * rejects when the signal aborts.
   */
  write(chunk: Buffer): Promise<void> | undefined;
  /** Resolves once the kernel has taken all chunks; rejects when the signal aborts. */
  flushed(): Promise<void>;
  /** What the kernel has not taken yet; 0 after closing means that all went out. */
  readonly queuedBytes: number;
}

interface Chunk {
  readonly bytes: Buffer;
  /** When the kernel took it, ms; undefined = not yet. */
  taken_ms: number | undefined;
}

/** Chunks that the kernel has not taken yet: beyond this the writer waits. */
const maxQueued = 1024 * 1024;

/**
 * The line input acknowledges nothing, and what the kernel has taken may still sit in its buffers when the agent dies. So the last chunks
 * are sent again on the next connection: a reading that comes twice is stored once, one that never comes is a hole.
 */
const resend = { maxAge_ms: 3000, maxBytes: 8 * 1024 * 1024 } as const;

/** How long closing waits for what is still queued, ms. */
const closingPatience_ms = 700;

/** Resolves when connected; tries again, with back-off, until then and whenever the connection breaks. */
export async function openLineSender(
  address: Address,
  { signal, log }: { signal: AbortSignal; log: Log },
): Promise<LineSender> {
  const sender = new TcpLineSender(address, signal, log.child({ agent: formatAddress(address) }));
  await sender.connect();
  return sender;
}

class TcpLineSender implements LineSender {
  readonly #address: Address;
  /** The caller's, or closing: who waits for room or a connection stops waiting. */
  readonly #signal: AbortSignal;
  readonly #ending = new AbortController();
  readonly #log: Log;
  readonly #sometimes = oncePer();
  /** Oldest first: taken by the kernel lately, then not yet taken. */
  readonly #chunks: Chunk[] = [];
  #queuedBytes = 0;
  #takenBytes = 0;
  #socket: Socket | undefined;
  #waiting: { until: number; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #flushing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(address: Address, signal: AbortSignal, log: Log) {
    this.#address = address;
    this.#signal = AbortSignal.any([signal, this.#ending.signal]);
    this.#log = log;
    this.#signal.addEventListener("abort", () => this.#abort(), { once: true });
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  write(bytes: Buffer): Promise<void> | undefined {
    const chunk: Chunk = { bytes, taken_ms: undefined };
    this.#chunks.push(chunk);
    this.#queuedBytes += bytes.length;
    if (this.#socket !== undefined) this.#transmit(this.#socket, chunk);
    return this.#queuedBytes <= maxQueued ? undefined : this.#below(maxQueued / 2);
  }

  async flushed(): Promise<void> {
    if (this.#queuedBytes === 0) return;
    this.#flushing ??= this.#below(0).finally(() => (this.#flushing = undefined));
    await this.#flushing;
  }

  async connect(): Promise<void> {
    const socket = await pRetry(() => openSocket(this.#address, this.#signal), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 100,
      maxTimeout: 5000,
      randomize: true,
      signal: this.#signal,
      onFailedAttempt: ({ error }) => {
        const held = this.#sometimes("unreachable");
        if (held !== undefined)
          this.#log.warn({ err: error, held }, "The agent does not take lines; trying again.");
      },
    });
    socket.on("error", (error) => this.#log.debug({ err: error }, "The connection to the agent broke."));
    socket.on("close", () => this.#lost());
    socket.resume(); // whatever the agent says is not for us
    this.#prune();
    for (const chunk of this.#chunks) {
      if (chunk.taken_ms !== undefined) this.#requeue(chunk);
      this.#transmit(socket, chunk);
    }
    this.#socket = socket;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#ending.abort();
    const socket = this.#socket;
    if (socket === undefined) return;
    const gone = once(socket, "close");
    socket.end();
    await Promise.race([gone, sleep(closingPatience_ms, undefined, { ref: false })]);
    socket.destroy();
  }

  #transmit(socket: Socket, chunk: Chunk): void {
    socket.write(chunk.bytes, (error) => {
      if (error || chunk.taken_ms !== undefined) return;
      chunk.taken_ms = performance.now();
      this.#queuedBytes -= chunk.bytes.length;
      this.#takenBytes += chunk.bytes.length;
      this.#prune();
      this.#waiting = this.#waiting.filter(({ until, resolve }) => {
        if (this.#queuedBytes > until) return true;
        resolve();
        return false;
      });
    });
  }

  #requeue(chunk: Chunk): void {
    chunk.taken_ms = undefined;
    this.#queuedBytes += chunk.bytes.length;
    this.#takenBytes -= chunk.bytes.length;
  }

  /** Forgets chunks that were taken so long ago, or so many bytes ago, that the agent has them. */
  #prune(): void {
    const now_ms = performance.now();
    for (let oldest = this.#chunks[0]; oldest?.taken_ms !== undefined; oldest = this.#chunks[0]) {
      const needed = now_ms - oldest.taken_ms < resend.maxAge_ms && this.#takenBytes <= resend.maxBytes;
      if (needed) break;
      this.#takenBytes -= oldest.bytes.length;
      this.#chunks.shift();
    }
  }

  #below(until: number): Promise<void> {
    if (this.#signal.aborted) return Promise.reject(this.#signal.reason as Error);
    return new Promise((resolve, reject) => this.#waiting.push({ until, resolve, reject }));
  }

  #lost(): void {
    this.#socket = undefined;
    if (this.#signal.aborted) return;
    const held = this.#sometimes("lost");
    if (held !== undefined) this.#log.warn({ held }, "Lost the connection to the agent; connecting again.");
    // Rejects only when aborted, which everyone who waits is told.
    this.connect().catch(() => this.#abort());
  }

  #abort(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(this.#signal.reason);
  }
}

async function openSocket({ host, port }: Address, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  try {
    await once(socket, "connect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
