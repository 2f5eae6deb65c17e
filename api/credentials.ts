import type { FastifyRequest } from "fastify";

declare module "fastify" {
  interface FastifyContextConfig {
    /** InfluxDB's own addresses also take `u` and `p` in the URL, which end up in logs: no other address does. */
    urlCredentials?: boolean;
  }
}

/** How a 401 asks for credentials, in the header WWW-Authenticate. */
export const challenge = 'Basic realm="marsad"';

/** Who a request says it is; nothing is checked yet. */
export type Credentials =
  | { readonly kind: "basic"; readonly name: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string };

/**
 * What a request shows: `u` and `p` where the route takes them, which count first, as in InfluxDB; else the Authorization header. `Token` and `Bearer`
 * with a colon in them, `name:password`, are what clients of InfluxDB 2 send to one of 1.8: a name and its password.
 */
export function credentialsOf(request: FastifyRequest): Credentials | undefined {
  if (request.routeOptions.config.urlCredentials === true) {
    const { u, p } = request.query as Record<string, unknown>;
    const [name, password] = [firstOf(u), firstOf(p)];
    if (name !== "" && password !== "") return { kind: "basic", name, password };
  }
  return authorizationOf(request.headers.authorization);
}

/** @param header  Of `Authorization`. Undefined also for a scheme that nobody here understands. */
export function authorizationOf(header: string | undefined): Credentials | undefined {
  const [, scheme, secret] = /^(basic|bearer|token) +(\S+) *$/i.exec(header ?? "") ?? [];
  if (scheme === undefined || secret === undefined) return undefined;
  const isBasic = scheme.toLowerCase() === "basic";
  const text = isBasic ? Buffer.from(secret, "base64").toString("utf8") : secret;
  const colon = text.indexOf(":");
  if (colon !== -1) return { kind: "basic", name: text.slice(0, colon), password: text.slice(colon + 1) };
  return isBasic ? undefined : { kind: "token", token: text };
}

/** A parameter that may come several times. */
function firstOf(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" ? first : "";
}
