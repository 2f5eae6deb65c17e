import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type SecureContextOptions } from "node:tls";
import { afterReading } from "./gateway-connections.ts";
import type { BrokerLimits } from "./limits.ts";
import type { Refusals } from "./refusals.ts";

/** The TCP server that gateways connect to; with TLS its sockets are those whose handshake is done. */
export interface Listener {
  readonly server: Server;
  /** What is shown to new connections from now on; does nothing without TLS. */
  setTls(options: SecureContextOptions): void;
  /** Takes no more, and cuts those in the middle of their handshake. Resolves when the last connection has ended. */
  close(): Promise<void>;
}

export interface ListenerOptions {
  readonly tls: SecureContextOptions | undefined;
  readonly limits: Pick<BrokerLimits, "connections" | "connecting" | "connectTimeout_ms">;
  readonly refusals: Refusals;
  readonly onSocket: (socket: Socket) => void;
}

export function createListener({ tls, limits, refusals, onSocket }: ListenerOptions): Listener {
  if (tls === undefined) {
    const server = createServer(onSocket);
    return { server, setTls: () => {}, close: () => closed(server) };
  }
  const server = createTlsServer({ ...tls, handshakeTimeout: limits.connectTimeout_ms });
  // Handshakes included: a socket is one from its first byte on.
  server.maxConnections = limits.connections + limits.connecting;
  /** TCP sockets without their handshake, the oldest first, by the peer's address, which the TLS socket has too. */
  const handshakes = new Map<string, Socket>();
  let willTrim = false;
  const trim = (): void => {
    willTrim = false;
    for (const [remote, oldest] of handshakes) {
      if (handshakes.size <= limits.connecting) break;
      refusals.record("connecting", { remote });
      handshakes.delete(remote);
      oldest.destroy();
    }
  };
  server.on("connection", (socket: Socket) => {
    const peer = addressOf(socket);
    handshakes.set(peer, socket);
    socket.on("close", () => {
      if (handshakes.get(peer) === socket) handshakes.delete(peer);
    });
    if (handshakes.size <= limits.connecting || willTrim) return;
    willTrim = true;
    afterReading(trim);
  });
  server.on("secureConnection", (socket) => {
    handshakes.delete(addressOf(socket));
    onSocket(socket);
  });
  server.on("tlsClientError", (error, socket) => {
    const code = "code" in error ? String(error.code) : error.message;
    // Port scans and health checks of load balancers.
    if (code !== "ECONNRESET") refusals.record("tls", { remote: addressOf(socket), detail: error.message });
    socket.destroy();
  });
  return {
    server,
    setTls: (options) => server.setSecureContext(options),
    close() {
      for (const socket of handshakes.values()) socket.destroy();
      return closed(server);
    },
  };
}

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

function addressOf({ remoteAddress = "?", remotePort = 0 }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
