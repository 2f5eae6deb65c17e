import { once } from "node:events";
import { connect } from "node:net";
import TcpPort from "modbus-serial/ports/tcpport.js";
import { FrameBus, type OpenedBus } from "./bus.ts";

/** Milliseconds until a device, or the gateway before a serial line, has taken the connection. */
const CONNECT_TIMEOUT = 5000;

export async function openTcpBus(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<OpenedBus> {
  const socket = connect({ host, port, noDelay: true, keepAlive: true });
  try {
    await once(socket, "connect", {
      signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT)]),
    });
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    return { ok: false, detail: whyNot(error) };
  }
  const framing = new TcpPort({ socket });
  const bus = new FrameBus({
    pause: 0,
    send: (request) => {
      const number = framing._transactionIdWrite;
      framing.write(request);
      return number;
    },
    close: async () => {
      if (socket.closed) return;
      // Not `once` of node:events, which rejects when the connection breaks at the same moment.
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.destroy();
      await closed;
    },
  });
  let reason = "the device closed the connection";
  framing.on("data", (frame: Buffer) => bus.received(frame, framing._transactionIdRead));
  socket.on("error", ({ message }) => (reason = message));
  socket.on("close", () => bus.ended(reason));
  return { ok: true, bus };
}

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "AbortError"
    ? `nobody took the connection within ${CONNECT_TIMEOUT} ms`
    : error.message;
}
