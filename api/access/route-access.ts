import type { RouteOptions } from "fastify";
import type { Access } from "../context.ts";
import { mayAsk, rolesThatMay } from "./roles.ts";

/** As OpenAPI has it: by scheme, which roles may; several schemes, any of which will do. */
type Security = Record<string, readonly string[]>[];

/** OpenAPI's `components.securitySchemes`. */
export const securitySchemes = {
  password: { type: "http", scheme: "basic", description: "A user's name and password." },
  token: {
    type: "http",
    scheme: "bearer",
    description: "What `marsad token add` prints; InfluxDB's `Token` in place of `Bearer` is understood too.",
  },
  certificate: {
    type: "mutualTLS",
    description: "A client certificate from the authority of --tls-client-ca: the role operator.",
  },
  gateway: { type: "http", scheme: "basic", description: "A gateway's name and password." },
} as const;

/**
 * Every route must say who may ask it, and must stand in the OpenAPI document, which the tests of access are made from.
 * @throws Error for one that does not; it is registered by the program, so the program does not start.
 */
export function expectAccess(route: RouteOptions): void {
  const access = route.config?.access;
  const isHidden = route.schema?.hide === true;
  if (access === undefined || isHidden) {
    const missing = isHidden ? "is hidden from the OpenAPI document" : "does not say its access";
    throw new Error(`${String(route.method)} ${route.url} ${missing}`);
  }
  route.schema = Object.assign(route.schema ?? {}, { security: securityOf(access) });
}

/** The role of a verified client certificate: what it could do before there were users. None can be taken away singly, so none gets more. */
export const certificateRole = "operator";

function securityOf(access: Access): Security {
  if (access === "open") return [];
  if (access === "gateway") return [{ gateway: [] }];
  const roles = rolesThatMay(access);
  const certificate = mayAsk(certificateRole, access) ? [{ certificate: [certificateRole] }] : [];
  return [{ password: roles }, { token: roles }, ...certificate];
}
