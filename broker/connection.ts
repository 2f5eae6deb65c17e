import type { Socket } from "node:net";
import { release } from "#runtime/release.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { Reason } from "#telemetry/rejection.ts";
import { topicPrefixBytes } from "#telemetry/topic.ts";
import type { UplinkChannel } from "#telemetry/topic.ts";
import { AedesPort, type PortOwner } from "./aedes-port.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { Copies, Listener } from "./copies.ts";
import { type FrameFault, type FrameSink, FrameSplitter } from "./frame-splitter.ts";
import { Keepalive } from "./keepalive.ts";
import type { BrokerLimits } from "./limits.ts";
import type { BrokerCounts } from "./metrics.ts";
import { OutputWatch } from "./output-watch.ts";
import type { UplinkLevels } from "./queue-levels.ts";
import { pauses, ReadGate } from "./read-gate.ts";
import type { RefusalReason, Refusals } from "./refusals.ts";
import { Session } from "./session.ts";
import type { UplinkHandler } from "./uplink.ts";

/** What all connections of a broker share. */
export interface ConnectionParts {
  readonly limits: BrokerLimits;
  readonly counts: BrokerCounts;
  readonly heldBudget: ByteBudget;
  readonly copies: Copies;
  readonly refusals: Refusals;
  readonly onUplink: UplinkHandler;
  /** A CONNECT is there: aedes is to take the port on. */
  readonly attach: (port: AedesPort<Connection>) => void;
  /** It was accepted. */
  readonly onOpen: (connection: Connection) => void;
  readonly onClose: (connection: Connection) => void;
  /** Tells a gateway, in its retained nack, why its connection was closed. */
  readonly tell: (gateway: GatewayIdentity, nack: ConnectionNack) => void;
}

export interface ConnectionNack {
  readonly reason: Reason;
  readonly detail: string;
  readonly bytes: Uint8Array;
}

/** TCP finds dead peers in a little over a minute, also those with keepalive 0 and those that are not read. */
const tcpKeepAlive_ms = 60_000;
/** How long the last bytes (a CONNACK that refuses, PUBACKs) may take to leave. */
const hangUp_ms = 1000;

/** One client: its socket, the splitter on it, aedes behind that, and once accepted its session. */
export class Connection implements FrameSink, Listener, PortOwner {
  readonly since = Date.now();
  /** When bytes last came. */
  lastSeen = this.since;
  /** Filters that it holds, as far as aedes has been asked. */
  readonly filters = new Set<string>();
  readonly #socket: Socket;
  readonly #remote: string;
  readonly #parts: ConnectionParts;
  readonly #splitter: FrameSplitter;
  #port: AedesPort<Connection> | undefined;
  #gateway: GatewayIdentity | undefined;
  #clientId: string | undefined;
  #session: Session | undefined;
  readonly #output: OutputWatch;
  readonly #keepalive = new Keepalive(() => this.refuse("keepalive"));
  readonly #gate: ReadGate;
  #connectTimer: NodeJS.Timeout | undefined;
  #refused = false;
  #hangingUp = false;
  #closed = false;

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#remote = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;
    this.#parts = parts;
    this.#splitter = new FrameSplitter(this, parts.limits);
    this.#gate = new ReadGate({ socket, splitter: this.#splitter, keepalive: this.#keepalive });
    this.#output = new OutputWatch({
      socket,
      limits: parts.limits,
      setFull: (full) => (full ? this.#gate.close(pauses.output) : this.#gate.open(pauses.output)),
      onStuck: () => {
        this.refuse("slow-reader");
        // What waits for it will not leave.
        socket.destroy();
      },
    });
  }

  /** Begins to read. */
  start(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, tcpKeepAlive_ms);
    socket.on("data", (chunk) => this.#onData(chunk));
    socket.on("drain", () => this.#output.drained());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#onClose());
    this.#connectTimer = setTimeout(
      () => this.refuse("connect-timeout"),
      this.#parts.limits.connectTimeout_ms,
    );
  }

  /** Who it is, once its credentials were right. */
  get gateway(): GatewayIdentity | undefined {
    return this.#gateway;
  }

  /** Has it got a CONNACK that accepts it, and is it still there? */
  get open(): boolean {
    return this.#session !== undefined && !this.#closed;
  }

  /** Is it over, or about to be? */
  get ended(): boolean {
    return this.#closed || this.#hangingUp;
  }

  /** `<gateway>/<its own>`, as aedes knows it. */
  get clientId(): string | undefined {
    return this.#clientId;
  }

  /** Taken messages without a PUBACK. */
  get inFlight(): number {
    return this.#session?.inFlight ?? 0;
  }

  /** What it has taken and what it holds, for whoever asks how full the queues are. */
  get uplinkLevels(): UplinkLevels | undefined {
    return this.#session;
  }

  /** Bytes that the peer has not taken. */
  get outputBacklog(): number {
    return this.#socket.writableLength + (this.#port?.writableLength ?? 0);
  }

  /** The credentials are right. */
  identify(gateway: GatewayIdentity, clientId: string): void {
    this.#gateway = gateway;
    this.#clientId = clientId;
  }

  /**
   * The CONNACK is out: readings may come. Does nothing when the connection has ended meanwhile.
   * @param keepalive_s  As the client asked for; 0 means none.
   */
  accept(keepalive_s: number): void {
    const gateway = this.#gateway;
    if (gateway === undefined || this.ended) return;
    const { onUplink, limits, heldBudget, copies, counts } = this.#parts;
    this.#session = new Session({
      gateway,
      onUplink,
      inFlightBytes: limits.inFlightBytes,
      heldBudget,
      copies,
      counts,
      write: (bytes) => this.#write(bytes),
      setFull: (full) => (full ? this.#gate.close(pauses.inFlight) : this.#gate.open(pauses.inFlight)),
    });
    this.#keepalive.set(keepalive_s);
    this.#parts.onOpen(this);
    this.#splitter.open(topicPrefixBytes(gateway));
    this.#gate.open(pauses.connecting);
  }

  /** Closes it for a reason that is counted, logged, and with `nack` told to the gateway. */
  refuse(reason: RefusalReason, facts: { nack?: ConnectionNack } = {}): void {
    if (!this.note(reason, facts.nack?.detail)) return;
    if (facts.nack !== undefined && this.#gateway !== undefined) {
      this.#parts.tell(this.#gateway, facts.nack);
    }
    this.hangUp();
  }

  /** Counts and logs why it ends; the first reason only. @returns whether it was the first. */
  note(reason: RefusalReason, detail?: string): boolean {
    if (this.#refused || this.#closed) return false;
    this.#refused = true;
    this.#parts.refusals.record(reason, { gateway: this.#gateway, remote: this.#remote, detail });
    return true;
  }

  /** Reads no more; what was taken may still be acknowledged. */
  stopReading(): void {
    this.#gate.close(pauses.closing);
  }

  /** Closes it after what was written has left. */
  hangUp(): void {
    if (this.#hangingUp) return;
    this.#hangingUp = true;
    this.#splitter.close();
    this.#port?.destroy();
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), hangUp_ms).unref();
  }

  connect(frame: Uint8Array): void {
    clearTimeout(this.#connectTimer);
    this.#gate.close(pauses.connecting);
    this.#port = new AedesPort<Connection>(this, this.#socket, this.#parts.limits.outputBytes);
    this.#parts.attach(this.#port);
    this.#port.push(frame);
  }

  uplink(channel: UplinkChannel, packetId: number, payload: Uint8Array, frameBytes: number): void {
    this.#session?.offer(channel, packetId, payload, frameBytes);
  }

  other(frame: Uint8Array): void {
    if (this.#port?.push(frame) === false) this.#gate.close(pauses.aedes);
  }

  fault(fault: FrameFault): void {
    if (fault !== "too-large") {
      this.refuse(fault);
      return;
    }
    const detail = `a packet may have at most ${this.#parts.limits.packetBytes} bytes; send smaller batches`;
    this.refuse(fault, { nack: { reason: "too-large", detail, bytes: new Uint8Array(0) } });
  }

  hasRoom(bytes: number): boolean {
    if (this.ended) return false;
    if (this.outputBacklog + bytes <= this.#parts.limits.outputBytes) return true;
    this.#output.dropped();
    return false;
  }

  writeCopy(frame: Buffer): boolean {
    if (!this.hasRoom(frame.length)) return false;
    this.#socket.write(frame);
    return true;
  }

  aedesReads(): void {
    this.#gate.open(pauses.aedes);
  }

  aedesWrote(): void {
    this.#output.wrote();
  }

  aedesClosed(): void {
    this.hangUp();
  }

  #write(bytes: Buffer): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(bytes);
    this.#output.wrote();
  }

  #onData(chunk: Buffer): void {
    this.lastSeen = Date.now();
    this.#keepalive.touch();
    if (this.#splitter.push(chunk)) release(chunk);
  }

  #onClose(): void {
    this.#closed = true;
    clearTimeout(this.#connectTimer);
    this.#gate.end();
    this.#output.end();
    this.#splitter.close();
    this.#session?.end();
    this.#parts.copies.forget(this);
    this.#endPort();
    this.#parts.onClose(this);
  }

  /** aedes may still have to read what came before the end: a last status, a DISCONNECT that withdraws the will. */
  #endPort(): void {
    const port = this.#port;
    if (port === undefined || port.destroyed) return;
    port.push(null);
    setTimeout(() => port.destroy(), hangUp_ms).unref();
  }
}
