import { connect as connectTcp, type Socket } from "node:net";
import { generate, type IConnectPacket, type Packet, parser } from "mqtt-packet";
import type { GatewayIdentity } from "#telemetry/names.ts";

/** A CONNECT as a gateway sends it. */
export function connectFrame(
  { name }: Pick<GatewayIdentity, "name">,
  password: string,
  more: Partial<IConnectPacket> = {},
): Buffer {
  return generate({
    cmd: "connect",
    clientId: name,
    clean: true,
    keepalive: 0,
    protocolId: "MQTT",
    protocolVersion: 4,
    username: name,
    password: Buffer.from(password),
    ...more,
  });
}

/** The header of a packet that claims to have `length` more bytes, which never come. */
export function hugeHeader(firstByte: number, length: number): Buffer {
  const bytes = [firstByte];
  let rest = length;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** A connection that sends what a test likes, and hears what comes back. */
export interface RawMqtt extends Disposable {
  readonly socket: Socket;
  readonly received: readonly Packet[];
  readonly closed: boolean;
  /** Resolves with the first packet of this kind, or undefined when the connection ends without one. */
  next<Cmd extends Packet["cmd"]>(cmd: Cmd): Promise<Extract<Packet, { cmd: Cmd }> | undefined>;
  readonly ended: Promise<void>;
}

export function openRaw(port: number, ...frames: readonly Uint8Array[]): RawMqtt {
  const socket = connectTcp({ port, host: "127.0.0.1" });
  const received: Packet[] = [];
  const waiting = new Set<() => void>();
  const look = (): void => waiting.forEach((check) => check());
  const packets = parser();
  let closed = false;
  packets.on("packet", (packet) => {
    received.push(packet);
    look();
  });
  socket.on("data", (bytes) => packets.parse(bytes));
  socket.on("error", () => {}); // "close" follows
  const ended = new Promise<void>((resolve) =>
    socket.once("close", () => {
      closed = true;
      look();
      resolve();
    }),
  );
  for (const frame of frames) socket.write(frame);
  return {
    socket,
    received,
    ended,
    get closed() {
      return closed;
    },
    next: (cmd) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = received.find((packet) => packet.cmd === cmd);
          if (found === undefined && !closed) return;
          waiting.delete(check);
          resolve(found as never);
        };
        waiting.add(check);
        check();
      }),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
