import type { FastifyRequest } from "fastify";
import { TLSSocket } from "node:tls";
import { isLoopback } from "#runtime/address.ts";
import { ProblemError } from "./problem.ts";

/**
 * Without users, whoever reaches the loopback address may ask anything. A browser on this machine reaches it on behalf
 * of any web page, so such a request must not pass for the user's own: a page of another site is refused by the
 * browser's `Sec-Fetch-Site`, and a foreign name that was made to resolve to 127.0.0.1 (DNS rebinding) by `Host`.
 */
export function refuseForeignOrigin(request: FastifyRequest): void {
  const host = request.headers.host?.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  if (host !== undefined && !isLoopback(host)) {
    throw new ProblemError(
      403,
      "foreign-origin",
      `This platform answers on this machine only; "${host.slice(0, 64)}" is another name.`,
    );
  }
  refuseOtherSites(request);
}

function refuseOtherSites(request: FastifyRequest): void {
  const followedLink = request.method === "GET" && request.headers["sec-fetch-mode"] === "navigate";
  if (request.headers["sec-fetch-site"] === "cross-site" && !followedLink) {
    throw new ProblemError(403, "foreign-origin", "A page of another site may not use this platform.");
  }
}

/**
 * The same over TLS, for a listener that others can reach. There are no users yet, so another machine needs a certificate from the authority that the
 * platform was given (`tls_client_ca`); whoever is on this machine does not. A certificate's name cannot be rebound, so `Host` is not looked at.
 */
export function refuseStrangers(request: FastifyRequest): void {
  const { socket } = request.raw;
  const peer = socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
  const isKnown = socket instanceof TLSSocket && socket.authorized;
  if (!isKnown && !isLoopback(peer)) {
    throw new ProblemError(
      403,
      "no-client-certificate",
      "From another machine this platform answers those with a client certificate that its --tls-client-ca signed.",
    );
  }
  refuseOtherSites(request);
}
