import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { MarsadError } from "#runtime/errors.ts";
import { LineFramer } from "../line-framer.ts";
import type { LineIntake } from "../line-intake.ts";
import { type Input, type InputTarget, type ListenAddress, formatAddress } from "./input.ts";

export interface TcpLinesOptions {
  readonly maxLineBytes: number;
  readonly maxConnections: number;
}

/** Milliseconds of silence after which the kernel asks whether a sender is still there. */
const PROBE_AFTER = 60_000;

/** Line protocol from any number of TCP clients. While the outbox is full nothing is read, so that senders wait. */
export async function openTcpLines(
  address: ListenAddress,
  intake: LineIntake,
  target: InputTarget,
  { maxLineBytes, maxConnections }: TcpLinesOptions,
): Promise<Input> {
  const senders = new Map<Socket, LineFramer>();
  let rejectedOfGone = 0;
  let paused = false;
  const pause = (): void => {
    paused = true;
    for (const socket of senders.keys()) socket.pause();
  };
  const resume = (): void => {
    if (!paused) return;
    paused = false;
    for (const socket of senders.keys()) socket.resume();
  };
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: PROBE_AFTER }, (socket) => {
    const framer = new LineFramer(intake, maxLineBytes);
    senders.set(socket, framer);
    socket.on("data", (chunk: Buffer) => {
      framer.push(chunk, Date.now());
      target.taken();
      if (target.full) pause();
    });
    socket.on("error", () => {}); // a sender that breaks off; "close" follows
    socket.on("close", () => {
      framer.end();
      rejectedOfGone += framer.rejected;
      senders.delete(socket);
    });
    if (paused) socket.pause();
  });
  server.maxConnections = maxConnections;
  server.listen(address.port, address.host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new MarsadError("ADDRESS_IN_USE", `cannot listen on tcp ${address.host}:${address.port}`, {
      cause,
    });
  }
  return {
    type: "tcp",
    address: formatAddress(server.address() as AddressInfo),
    resume,
    get counts() {
      let rejectedLines = rejectedOfGone;
      for (const framer of senders.values()) rejectedLines += framer.rejected;
      return { rejectedLines, droppedLines: 0 };
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of senders.keys()) socket.destroy();
      await closed;
    },
  };
}
