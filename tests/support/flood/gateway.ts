import { readFileSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { generate } from "mqtt-packet";
import { formatBirth } from "#telemetry/birth.ts";
import { topics } from "#telemetry/topic.ts";
import { FloodFrames, type Numbering, sensorId } from "./frames.ts";

export interface FloodGatewayOptions extends Numbering {
  readonly port: number;
  /** File of the authority behind the platform's certificate; undefined: no TLS. */
  readonly ca: string | undefined;
  readonly name: string;
  readonly agency: string;
  readonly password: string;
  /** Readings a message. */
  readonly batch: number;
}

/** Bytes that may wait in this process for TCP: beyond, a message that is due stays a number. */
const waitingBytes = 256 * 1024;
/** Bytes without a PUBACK of a gateway that goes as fast as it is acknowledged, below the platform's bound. */
const windowBytes = 640 * 1024;

/** One gateway of a flood: counts what it sent and what was acknowledged, in order; how long PUBACKs and pings took; whether it was cut. */
export class FloodGateway {
  sent = 0;
  acknowledged = 0;
  cut = false;
  /** Milliseconds from the last byte of a write to its PUBACKs, one for each write. */
  latencies: number[] = [];
  /** Milliseconds that PINGRESPs took. */
  pings: number[] = [];
  readonly #socket: Socket;
  readonly #frames: FloodFrames;
  readonly #pinged: number[] = [];
  #writes: { upTo: number; at: number }[] = [];
  /** The beginning of a packet whose end has not come. */
  #rest: Uint8Array = new Uint8Array(0);
  #refill: () => void = () => {};

  private constructor(socket: Socket, frames: FloodFrames) {
    this.#socket = socket;
    this.#frames = frames;
    socket.on("data", (bytes) => this.#onData(bytes));
    socket.on("close", () => (this.cut = true));
  }

  static async open(options: FloodGatewayOptions): Promise<FloodGateway> {
    const { port, ca, name, agency, password, sensors } = options;
    const socket =
      ca === undefined
        ? connectTcp({ port, host: "127.0.0.1", noDelay: true })
        : connectTls({ port, host: "127.0.0.1", ca: readFileSync(ca) });
    socket.on("error", () => {}); // "close" follows
    const { birth, up } = topics(agency, name);
    const credentials = { username: name, password: Buffer.from(password) };
    const connect = { clientId: name, clean: true, keepalive: 5, protocolId: "MQTT", protocolVersion: 4 };
    socket.write(generate({ cmd: "connect", ...connect, ...credentials } as never));
    const connack = await firstBytes(socket);
    if (connack[3] !== 0) throw new Error(`the platform refused ${name}: CONNACK ${connack[3]}`);
    const ids = Array.from({ length: sensors }, (_, sensor) => ({
      id: sensorId(name, sensor),
      place: "QA-DA",
    }));
    const payload = formatBirth({ agent: "flood", sensors: ids });
    const birthFlags = { qos: 1, messageId: 65_535, retain: false, dup: false } as const;
    socket.write(generate({ cmd: "publish", topic: birth, payload, ...birthFlags }));
    await firstBytes(socket);
    return new FloodGateway(socket, new FloodFrames({ ...options, topic: up.lp, gateway: name }));
  }

  /** Sends so many messages if TCP takes them. @returns how many it did. */
  offer(count: number): number {
    let left = count;
    while (left > 0 && !this.cut && this.#socket.writableLength < waitingBytes) {
      const messages = Math.min(left, Math.max(1, Math.floor(65_536 / this.#frames.messageBytes)));
      this.#write(messages);
      left -= messages;
    }
    return count - left;
  }

  /** Sends as fast as PUBACKs allow, or no longer. */
  saturate(on: boolean): void {
    const window = Math.max(1, Math.floor(windowBytes / this.#frames.messageBytes));
    this.#refill = () => {
      const room = window - (this.sent - this.acknowledged);
      if (room >= window / 2 && !this.cut) this.#write(room);
    };
    if (!on) this.#refill = () => {};
    this.#refill();
  }

  /** To be called every now and then, well within the keepalive. */
  ping(): void {
    if (this.cut) return;
    this.#pinged.push(performance.now());
    this.#socket.write(generate({ cmd: "pingreq" }));
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #write(messages: number): void {
    this.sent += messages;
    this.#writes.push({ upTo: this.sent, at: performance.now() });
    this.#socket.write(this.#frames.next(messages));
  }

  /** PUBACKs (4 bytes) and PINGRESPs (2). */
  #onData(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const now = performance.now();
    let at = 0;
    while (at + 2 <= all.length) {
      const length = 2 + all[at + 1]!;
      if (at + length > all.length) break;
      const kind = all[at]! >> 4;
      if (kind === 4) this.acknowledged += 1;
      else if (kind === 13) this.pings.push(now - this.#pinged.shift()!);
      at += length;
    }
    this.#rest = all.subarray(at);
    const later = this.#writes.findIndex(({ upTo }) => upTo > this.acknowledged);
    const done = this.#writes.splice(0, later === -1 ? this.#writes.length : later);
    for (const write of done) this.latencies.push(now - write.at);
    this.#refill();
  }
}

async function firstBytes(socket: Socket): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const closed = (): void => reject(new Error("the platform closed the connection"));
    socket.once("close", closed);
    socket.once("data", (bytes: Buffer) => {
      socket.off("close", closed);
      resolve(Buffer.from(bytes));
    });
  });
}
