import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { MarsadError } from "#runtime/errors.ts";
import type { LineIntake } from "../line-intake.ts";
import { type Input, type InputTarget, type ListenAddress, formatAddress } from "./input.ts";

/** Bytes asked of the kernel for datagrams that wait to be read; it may give less. What it drops nobody counts here. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Line protocol in datagrams, each of one or more whole lines. While the outbox is full they are dropped and counted. */
export async function openUdpLines(
  address: ListenAddress,
  intake: LineIntake,
  target: InputTarget,
): Promise<Input> {
  const socket = createSocket({
    type: isIPv6(address.host) ? "udp6" : "udp4",
    recvBufferSize: RECEIVE_BUFFER,
  });
  let droppedLines = 0;
  socket.on("message", (datagram: Buffer) => {
    if (target.full) droppedLines += countLines(datagram);
    else {
      intake.take(datagram, 0, datagram.length, Date.now());
      target.taken();
    }
  });
  await bind(socket, address);
  let closed = false;
  return {
    type: "udp",
    address: formatAddress(socket.address()),
    resume: () => {},
    get counts() {
      return { rejectedLines: 0, droppedLines };
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (closed) return;
      closed = true;
      const gone = once(socket, "close");
      socket.close();
      await gone;
    },
  };
}

async function bind(socket: Socket, { host, port }: ListenAddress): Promise<void> {
  socket.bind(port, host);
  try {
    await once(socket, "listening");
  } catch (cause) {
    socket.close();
    throw new MarsadError("ADDRESS_IN_USE", `cannot listen on udp ${host}:${port}`, { cause });
  }
  socket.on("error", () => {}); // an ICMP answer to a datagram that was not ours
}

/** Lines in a datagram that is not taken; blank ones and comments count too, nobody looks into it. */
function countLines(datagram: Buffer): number {
  if (datagram.length === 0) return 0;
  let lines = 0;
  for (let at = datagram.indexOf(NEWLINE); at !== -1; at = datagram.indexOf(NEWLINE, at + 1)) lines += 1;
  return datagram[datagram.length - 1] === NEWLINE ? lines : lines + 1;
}
