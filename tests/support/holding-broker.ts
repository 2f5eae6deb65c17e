import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { type Packet, generate, parser } from "mqtt-packet";

/** A broker that answers all but publishes, which get their PUBACK when the test lets go: what a full journal looks like from outside. */
export interface HoldingBroker extends AsyncDisposable {
  readonly port: number;
  readonly connections: number;
  /** Pings that were answered. */
  readonly pings: number;
  /** Topics of the publishes that wait for their PUBACK. */
  readonly held: readonly string[];
  /** From now on publishes get their PUBACK, also those that wait. */
  letGo(): void;
}

export async function openHoldingBroker(): Promise<HoldingBroker> {
  const sockets = new Set<Socket>();
  const held: { topic: string; acknowledge: () => void }[] = [];
  let holding = true;
  let connections = 0;
  let pings = 0;
  const answer = (socket: Socket, packet: Packet): void => {
    if (packet.cmd === "connect")
      socket.write(generate({ cmd: "connack", returnCode: 0, sessionPresent: false }));
    else if (packet.cmd === "subscribe") {
      socket.write(
        generate({ cmd: "suback", messageId: packet.messageId!, granted: packet.subscriptions.map(() => 1) }),
      );
    } else if (packet.cmd === "pingreq") {
      pings += 1;
      socket.write(generate({ cmd: "pingresp" }));
    } else if (packet.cmd === "publish") {
      const puback = generate({ cmd: "puback", messageId: packet.messageId! });
      const acknowledge = (): void => void socket.write(puback);
      if (holding) held.push({ topic: packet.topic, acknowledge });
      else acknowledge();
    }
  };
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    const packets = parser();
    packets.on("packet", (packet: Packet) => answer(socket, packet));
    socket.on("data", (bytes) => packets.parse(bytes));
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    get pings() {
      return pings;
    },
    get held() {
      return held.map(({ topic }) => topic);
    },
    letGo(): void {
      holding = false;
      for (const { acknowledge } of held.splice(0)) acknowledge();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
