import type { IncomingMessage, ServerResponse, Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Bounds a server's connections so that those who ask nothing do not keep others out: with one more than `max`, the oldest goes of those
 * that wait for their client (no whole request is there: silent, idle, slow, in the midst of a handshake). When all are being answered, the new one goes.
 */
export function boundConnections(server: Server, max: number): void {
  /** By the peer's address, which a TLS socket and the one below it share; the one that has waited longest first. */
  const waiting = new Map<string, Socket>();
  const answered = new Map<string, Socket>();

  let willTrim = false;
  const trim = (): void => {
    willTrim = false;
    let excess = waiting.size + answered.size - max;
    // The oldest that waits goes first; when all are being answered, the newest of them.
    for (const [peer, socket] of [...waiting, ...[...answered].toReversed()]) {
      if (excess-- <= 0) break;
      waiting.delete(peer);
      answered.delete(peer);
      socket.destroy();
    }
  };
  server.maxConnections = 4 * max;

  server.on("connection", (socket: Socket) => {
    const peer = addressOf(socket);
    waiting.set(peer, socket);
    socket.once("close", () => {
      for (const sockets of [waiting, answered]) if (sockets.get(peer) === socket) sockets.delete(peer);
    });
    if (waiting.size + answered.size <= max || willTrim) return;
    willTrim = true;
    // What has just come may have asked something that is not read yet: many are accepted in one turn, and read in the next.
    setImmediate(() => setImmediate(trim));
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const peer = addressOf(request.socket);
    const move = (from: Map<string, Socket>, to: Map<string, Socket>): void => {
      const socket = from.get(peer);
      if (socket === undefined) return;
      from.delete(peer);
      to.set(peer, socket);
    };
    const whole = (): void => move(waiting, answered);
    if (hasBody(request)) request.once("end", whole);
    else whole();
    response.once("close", () => move(answered, waiting));
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

function addressOf({ remoteAddress = "?", remotePort = 0 }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
