import type { AddressInfo } from "node:net";
import type { SecureContextOptions } from "node:tls";
import type { Registry } from "prom-client";
import { formatAddress, isLoopback } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import { type Accounts, noAccounts } from "./access/accounts.ts";
import { createGuard, type Reach } from "./guard.ts";
import { httpsServers } from "./https.ts";
import type { PlatformPort } from "./ports.ts";
import type { ApiServer } from "./context.ts";
import { buildServer, httpsLimits } from "./server.ts";

/** Milliseconds that requests under way have to end when the API closes. */
const CLOSE_GRACE = 1_500;

export interface ApiOptions {
  /** Port 0 is any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Something in front encrypts, and may ask who it is; without it, and without TLS, only a loopback host is accepted. */
  readonly behindProxy?: boolean;
  /** Speaks TLS, and shows this certificate; a `ca` signs the certificates of clients on other machines. */
  readonly tls?: SecureContextOptions | undefined;
  /** Who may ask; none when absent. */
  readonly accounts?: Accounts;
  readonly port: PlatformPort;
  readonly metrics: Registry;
  readonly log: Log;
  readonly version: string;
}

export interface Api extends AsyncDisposable {
  /** Where it listens: `http://127.0.0.1:8080`. */
  readonly address: string;
  /** New connections are shown this certificate; those that are there live on. Only for an API that was opened with TLS. */
  setTls(options: SecureContextOptions): void;
}

/**
 * The platform's HTTP face; resolves when it listens.
 * @throws MarsadError `ADDRESS_IN_USE`; `CONFIG_INVALID` for a host off this machine without TLS or `behindProxy`.
 */
export async function openApi(options: ApiOptions): Promise<Api> {
  const { listen, behindProxy = false, tls, accounts = noAccounts, port, metrics, version, log } = options;
  if (!behindProxy && tls === undefined && !isLoopback(listen.host)) {
    throw new MarsadError(
      "CONFIG_INVALID",
      `HTTP on ${listen.host} would be open to the network without encryption: give --tls-cert and --tls-key, listen on 127.0.0.1, ` +
        "or say --behind-proxy when something in front encrypts and asks who it is.",
    );
  }
  const reach: Reach = behindProxy ? "proxy" : tls === undefined ? "loopback" : "network";
  const https = tls && httpsServers(tls, httpsLimits);
  const server = await buildServer({ port, metrics, version }, log, {
    guard: createGuard({ reach, accounts, metrics, log }),
    https,
  });
  try {
    await server.listen({ host: listen.host, port: listen.port });
  } catch (error) {
    await server.close();
    throw asListenError(error, listen);
  }
  const { port: bound } = server.server.address() as AddressInfo;
  const address = `${tls ? "https" : "http"}://${formatAddress({ host: listen.host, port: bound })}`;
  log.info({ address }, "HTTP listens.");
  if (reach === "network" && !isLoopback(listen.host) && accounts.isEmpty()) {
    const hint = "marsad user add NAME --role admin";
    log.warn({ hint }, "HTTP answers other machines only with a client certificate: there are no users yet.");
  }

  let closed: Promise<void> | undefined;
  return {
    address,
    setTls: (renewed) => https?.setTls(renewed),
    [Symbol.asyncDispose]: () => (closed ??= close(server)),
  };
}

async function close(server: ApiServer): Promise<void> {
  const cut = setTimeout(() => server.server.closeAllConnections(), CLOSE_GRACE);
  try {
    await server.close();
  } finally {
    clearTimeout(cut);
  }
}

function asListenError(error: unknown, listen: ApiOptions["listen"]): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "EADDRINUSE" && code !== "EADDRNOTAVAIL" && code !== "EACCES") return error;
  const why = { EADDRINUSE: "is taken", EADDRNOTAVAIL: "is not this machine's", EACCES: "needs more rights" }[
    code
  ];
  return new MarsadError("ADDRESS_IN_USE", `HTTP address ${formatAddress(listen)} ${why}.`, {
    cause: error,
  });
}
