import type { FastifyRequest } from "fastify";
import type { IncomingHttpHeaders } from "node:http";
import { TLSSocket } from "node:tls";
import { Counter, type Registry } from "prom-client";
import { isLoopback } from "#runtime/address.ts";
import { type Log, oncePer } from "#runtime/log.ts";
import type { Accounts, Caller, Refusal } from "./access/accounts.ts";
import { mayAsk, rolesThatMay } from "./access/roles.ts";
import { certificateRole } from "./access/route-access.ts";
import { challenge, credentialsOf } from "./credentials.ts";
import { ProblemError } from "./problem.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** An open route that tells more to those who may know: credentials are looked at when there are any, and wrong ones are as none. */
    tellsMore?: boolean;
  }
  interface FastifyRequest {
    /** Who asks; undefined where the route is open or a gateway's. */
    caller: Caller | undefined;
  }
}

/** Who can reach the listener: this machine in plain HTTP; others over TLS; or a proxy, which encrypts and may ask who it is. */
export type Reach = "loopback" | "network" | "proxy";

export interface GuardOptions {
  readonly reach: Reach;
  readonly accounts: Accounts;
  readonly metrics: Registry;
  readonly log: Log;
}

/** Throws a `ProblemError` for a request that may not pass; otherwise sets its `caller`. */
export type RequestGuard = (request: FastifyRequest) => Promise<void>;

type RefusalReason =
  | Refusal["reason"]
  | "foreign-origin"
  | "no-credentials"
  | "no-users"
  | "role-lacks-right";
const refusalReasons: readonly RefusalReason[] = [
  "no-credentials",
  "wrong-credentials",
  "expired",
  "too-many-attempts",
  "busy",
  "no-users",
  "role-lacks-right",
  "foreign-origin",
];

/**
 * Decides who may ask what: each route names its access, and what no route names needs a viewer. As long as there is neither a user nor a token, this machine may ask
 * everything, and so may those whom a proxy lets through; other machines need a client certificate. From the first user or token on, everybody is asked.
 */
export function createGuard({ reach, accounts, metrics, log }: GuardOptions): RequestGuard {
  const refused = new Counter({
    name: "marsad_api_refused_requests_total",
    help: "Requests that were not let in, by reason.",
    labelNames: ["reason"],
    registers: [metrics],
  });
  for (const reason of refusalReasons) refused.inc({ reason }, 0);
  const sometimes = oncePer();

  const refuse = (
    request: FastifyRequest,
    refusal: Refusal | { reason: RefusalReason },
    error: ProblemError,
  ): never => {
    const { reason } = refusal;
    refused.inc({ reason });
    const remote = addressOf(request, reach);
    const held = sometimes(`${reason} ${remote}`);
    if (held !== undefined) {
      const route = request.routeOptions.url ?? "unknown";
      log.warn({ reason, remote, route, caller: request.caller?.name, held }, "A request was refused.");
    }
    throw error;
  };

  const identify = async (
    request: FastifyRequest,
  ): Promise<Caller | Refusal | { reason: "no-users" | "no-credentials" }> => {
    const certificate = certificateOf(request);
    if (accounts.isEmpty()) {
      const isLocal = reach !== "network" || isLoopback(peerOf(request));
      return isLocal ? local : (certificate ?? { reason: "no-users" });
    }
    const credentials = credentialsOf(request);
    if (credentials !== undefined) return await accounts.identify(credentials, addressOf(request, reach));
    return certificate ?? { reason: "no-credentials" };
  };

  return async (request) => {
    const foreign = foreignOrigin(request, reach);
    if (foreign !== undefined) refuse(request, { reason: "foreign-origin" }, foreign);
    const { access = "viewer", tellsMore = false } = request.routeOptions.config;
    const asksNobody = access === "open" || access === "gateway";
    if (asksNobody && !tellsMore) return;
    const found = await identify(request);
    if ("role" in found) request.caller = found;
    if (asksNobody) return;
    if ("reason" in found) refuse(request, found, problemOfRefusal(found));
    else if (!mayAsk(found.role, access)) {
      refuse(
        request,
        { reason: "role-lacks-right" },
        new ProblemError(
          403,
          "not-allowed",
          `"${found.name}" has the role ${found.role}; this takes ${rolesThatMay(access).join(" or ")}.`,
        ),
      );
    }
  };
}

const local: Caller = { kind: "local", name: "this machine", role: "admin" };

function problemOfRefusal(refusal: Refusal | { reason: "no-users" | "no-credentials" }): ProblemError {
  if (refusal.reason === "too-many-attempts") {
    const seconds = String(Math.ceil(refusal.wait_ms / 1_000));
    const detail = `Too many wrong passwords under this name or from this address; try again in ${seconds} s.`;
    return new ProblemError(429, "too-many-attempts", detail, {}, { "retry-after": seconds });
  }
  const { status, code, detail } = problems[refusal.reason];
  return new ProblemError(status, code, detail, {}, status === 401 ? { "www-authenticate": challenge } : {});
}

const problems = {
  "no-users": {
    status: 403,
    code: "no-users",
    detail:
      "From another machine this platform answers its users only, and there are none yet: say `marsad user add NAME --role admin` on its own machine.",
  },
  "no-credentials": {
    status: 401,
    code: "credentials-needed",
    detail:
      "Say who you are, with a user's name and password (Basic) or a token (Bearer); `marsad user add` and `marsad token add` make them.",
  },
  "wrong-credentials": {
    status: 401,
    code: "credentials-wrong",
    detail: "There is no user with this password, or no such token.",
  },
  expired: {
    status: 401,
    code: "credentials-wrong",
    detail: "The token's time is over; `marsad token add` makes a new one.",
  },
  busy: { status: 503, code: "busy", detail: "Too many passwords wait to be verified; try again." },
} as const;

/**
 * A browser brings what any web page asks of it, with the password that it remembers for this address. Such a request must not pass for its user's own: a page of another site
 * is refused by the browser's `Sec-Fetch-Site` or `Origin`, and on loopback a foreign name that was made to resolve to 127.0.0.1 (DNS rebinding) by `Host`. A certificate's name
 * cannot be rebound.
 */
function foreignOrigin({ headers, method }: FastifyRequest, reach: Reach): ProblemError | undefined {
  const host = headers.host?.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  if (reach === "loopback" && host !== undefined && !isLoopback(host)) {
    return new ProblemError(
      403,
      "foreign-origin",
      `This platform answers on this machine only; "${host.slice(0, 64)}" is another name.`,
    );
  }
  const followedLink = method === "GET" && headers["sec-fetch-mode"] === "navigate";
  return isOfAnotherOrigin(headers, reach) && !followedLink
    ? new ProblemError(403, "foreign-origin", "A page of another site may not use this platform.")
    : undefined;
}

/**
 * A neighbour of the same site too: another port of this machine, another name of the same domain. A browser that does not say it, says where a form comes from; behind a proxy
 * `Host` need not be the name that the browser knows.
 */
function isOfAnotherOrigin(headers: IncomingHttpHeaders, reach: Reach): boolean {
  const { "sec-fetch-site": site, origin, host } = headers;
  if (site !== undefined) return site === "cross-site" || site === "same-site";
  return origin !== undefined && reach !== "proxy" && URL.parse(origin)?.host !== host;
}

/** Whoever shows a certificate from the authority that the platform was given (`tls_client_ca`). */
function certificateOf({ raw: { socket } }: FastifyRequest): Caller | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { subject, subjectaltname } = socket.getPeerCertificate();
  const [name = "a certificate without a name"] = [subject.CN ?? subjectaltname].flat();
  return { kind: "certificate", name, role: certificateRole };
}

function peerOf({ raw: { socket } }: FastifyRequest): string {
  return socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "") ?? "";
}

/** Behind a proxy the last address in `X-Forwarded-For` is the proxy's word; those before it are the client's. */
function addressOf(request: FastifyRequest, reach: Reach): string {
  const forwarded = request.headers["x-forwarded-for"];
  const last = [forwarded].flat().at(-1)?.split(",").at(-1)?.trim();
  return reach === "proxy" && last !== undefined && last !== "" ? last.slice(0, 64) : peerOf(request);
}
