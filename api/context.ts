import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Registry } from "prom-client";
import type { z } from "zod";
import type { Log } from "#runtime/log.ts";
import type { Role } from "./access/roles.ts";
import type { PlatformPort } from "./ports.ts";
import { Problem } from "./problem.ts";

/**
 * Who may ask a route. `open`: anybody who reaches the address. `gateway`: a gateway with its own credentials, which the route asks for itself. Otherwise the role
 * whose right it takes (`access/roles.ts`), where users are asked for at all.
 */
export type Access = "open" | "gateway" | Role;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Every route says it: one that does not is not registered (`access/route-access.ts`). */
    access?: Access;
  }
}

export type ApiServer = FastifyInstance<Server, IncomingMessage, ServerResponse, Log, ZodTypeProvider>;

/** What the routes work on. */
export interface ApiContext {
  readonly port: PlatformPort;
  readonly metrics: Registry;
  readonly version: string;
}

/** The answers of a JSON route: what it sends when all is well, and a problem otherwise. */
export function answers<Answer extends z.ZodType>(
  description: string,
  answer: Answer,
): {
  200: { description: string; content: { "application/json": { schema: Answer } } };
  default: typeof problemAnswer;
} {
  return {
    200: { description, content: { "application/json": { schema: answer } } },
    default: problemAnswer,
  };
}

export const problemAnswer = {
  description: "What went wrong (RFC 9457).",
  content: { "application/problem+json": { schema: Problem } },
};
