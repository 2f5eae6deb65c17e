import type { RequestListener, Server } from "node:http";
import { createServer, type Server as HttpsServer } from "node:https";
import type { SecureContextOptions } from "node:tls";
import { boundConnections } from "./connections.ts";

export interface HttpsLimits {
  /** Milliseconds. */
  readonly handshakeTimeout: number;
  readonly requestTimeout: number;
  readonly connectionTimeout: number;
  readonly keepAliveTimeout: number;
  readonly connectionsCheckingInterval: number;
  readonly maxConnections: number;
  /** Bytes of a request's head. */
  readonly maxHeaderSize: number;
}

/** Makes fastify's servers, one for each address that a name stands for, and shows all of them a new certificate. */
export interface HttpsServers {
  readonly make: (handler: RequestListener) => Server;
  setTls(options: SecureContextOptions): void;
}

/** With a `ca` clients are asked for a certificate; whether they need one is the guard's business. */
export function httpsServers(tls: SecureContextOptions, limits: HttpsLimits): HttpsServers {
  const servers: HttpsServer[] = [];
  return {
    make(handler) {
      const { handshakeTimeout, requestTimeout, connectionsCheckingInterval, maxHeaderSize } = limits;
      const asks = tls.ca !== undefined;
      const server = createServer(
        {
          ...tls,
          handshakeTimeout,
          requestTimeout,
          connectionsCheckingInterval,
          maxHeaderSize,
          requestCert: asks,
          rejectUnauthorized: false,
        },
        handler,
      );
      server.keepAliveTimeout = limits.keepAliveTimeout;
      boundConnections(server, limits.maxConnections);
      server.setTimeout(limits.connectionTimeout);
      servers.push(server);
      // It is one but for its listeners' sockets.
      return server;
    },
    setTls(options) {
      for (const server of servers) server.setSecureContext(options);
    },
  };
}
