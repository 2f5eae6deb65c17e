import type { FastifyRequest } from "fastify";
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
  const followedLink = request.method === "GET" && request.headers["sec-fetch-mode"] === "navigate";
  if (request.headers["sec-fetch-site"] === "cross-site" && !followedLink) {
    throw new ProblemError(403, "foreign-origin", "A page of another site may not use this platform.");
  }
}
