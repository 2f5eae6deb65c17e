import { randomUUID } from "node:crypto";
import { z } from "zod";
import { oncePer } from "#runtime/log.ts";
import type { ApiServer } from "../context.ts";
import { challenge } from "../credentials.ts";
import { ProblemError, problemOf } from "../problem.ts";

/** The generation of InfluxDB whose addresses these are; clients look at the first number. */
const influxVersion = "1.8.0";

export function versionText(version: string): string {
  return `${influxVersion}+marsad.${version}`;
}

/** A request to one of InfluxDB's addresses that is not served. */
export class InfluxError extends Error {
  readonly status: number;
  /** Seconds after which the same may be tried again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, message: string, retryAfter?: number) {
    super(message);
    this.name = "InfluxError";
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const ErrorV1 = z.object({ error: z.string() });
const ErrorV2 = z.object({ code: z.string(), message: z.string() });

/** Answers of a route in words: one without content, and errors of InfluxDB 1.x and 2.x. */
export function noContent(description: string): z.ZodNull {
  return z.null().meta({ description });
}

export function errorV1(description: string): JsonAnswer<typeof ErrorV1> {
  return { description, content: { "application/json": { schema: ErrorV1 } } };
}

export function errorV2(description: string): JsonAnswer<typeof ErrorV2> {
  return { description, content: { "application/json": { schema: ErrorV2 } } };
}

interface JsonAnswer<Schema extends z.ZodType> {
  readonly description: string;
  readonly content: { readonly "application/json": { readonly schema: Schema } };
}

/** Header and errors as InfluxDB sends them, 1.x's or, below `/api/v2`, 2.x's: for all routes of this scope. */
export function speakAsInflux(server: ApiServer, version: string): void {
  const sometimes = oncePer();
  server.addHook("onSend", async (request, reply) => {
    const id = requestId(request.headers["x-request-id"] ?? request.headers["request-id"]);
    reply.headers({
      "request-id": id,
      "x-request-id": id,
      "x-influxdb-build": "Marsad",
      "x-influxdb-version": versionText(version),
    });
  });
  server.setErrorHandler((error, request, reply) => {
    const { status, message, retryAfter } = influxErrorOf(error);
    const route = request.routeOptions.url ?? "unknown";
    if (status >= 500) {
      const held = sometimes(`${route} ${status}`);
      if (held !== undefined) request.log.error({ err: error, route, held }, "A request failed.");
    }
    if (status === 401) reply.header("www-authenticate", challenge);
    if (error instanceof ProblemError) reply.headers(error.headers);
    if (retryAfter !== undefined) reply.header("retry-after", String(retryAfter));
    const isV2 = route.startsWith("/api/v2/");
    const body = isV2 ? { code: codes[status] ?? "internal error", message } : { error: message };
    return reply
      .code(status)
      .header("x-influxdb-error", message.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 1_000))
      .type("application/json")
      .send(JSON.stringify(body));
  });
}

/** InfluxDB 2's words for a status. */
const codes: Readonly<Record<number, string>> = {
  400: "invalid",
  401: "unauthorized",
  403: "forbidden",
  404: "not found",
  413: "request too large",
  429: "too many requests",
  503: "unavailable",
};

function influxErrorOf(error: unknown): Pick<InfluxError, "status" | "message" | "retryAfter"> {
  if (error instanceof InfluxError) return error;
  const { status, code, detail } = problemOf(error);
  // Too many ask at once: InfluxDB's clients try again after a 503, and give up after a 409.
  if (code === "refused" || status === 503) return { status: 503, message: detail, retryAfter: 5 };
  // InfluxDB's word, which clients look for.
  return {
    status,
    message: status === 401 ? `authorization failed: ${detail}` : detail,
    retryAfter: undefined,
  };
}

/** The client's own, to find the request again in its log, or a new one. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === "string" && /^[\x21-\x7e]{1,64}$/.test(given) ? given : randomUUID();
}
