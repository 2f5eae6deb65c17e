import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import swagger from "@fastify/swagger";
import fastify, { LogController } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { oncePer, type Log } from "#runtime/log.ts";
import { expectAccess } from "./access/route-access.ts";
import { boundConnections } from "./connections.ts";
import type { ApiContext, ApiServer } from "./context.ts";
import type { RequestGuard } from "./guard.ts";
import { openApiOptions } from "./openapi.ts";
import { problem, ProblemError, problemOf, problemType } from "./problem.ts";
import type { HttpsServers } from "./https.ts";
import { measureRequests } from "./request-metrics.ts";
import { catalogueRoutes } from "./routes/catalogue.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { gatewayRoutes } from "./routes/gateways.ts";
import { indexRoutes } from "./routes/index.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { probeRoutes } from "./routes/probes.ts";
import { influxRoutes } from "./routes/influx.ts";
import { mapRoutes } from "./routes/map.ts";
import { readingRoutes } from "./routes/readings.ts";
import { seriesRoutes } from "./routes/series.ts";

const limits = {
  /** Bytes of a request's body. */
  bodyLimit: 1 << 20,
  /** Milliseconds for a request to arrive whole. */
  requestTimeout: 10_000,
  /** Milliseconds until the answer has begun and ended. */
  handlerTimeout: 60_000,
  /** Milliseconds without a byte either way. */
  connectionTimeout: 70_000,
  keepAliveTimeout: 20_000,
};
/** Open connections. */
const MAX_CONNECTIONS = 256;
/** Bytes of a request's head: dashboards ask long queries by GET, too. */
const MAX_HEAD_BYTES = 64 * 1024;
/** Milliseconds between two looks for requests that have not arrived in time. */
const CHECKING_INTERVAL = 1_000;
/** Milliseconds for a TLS handshake. */
const HANDSHAKE_TIMEOUT = 5_000;

/** One line a route file. */
const routes = [
  indexRoutes,
  probeRoutes,
  seriesRoutes,
  mapRoutes,
  readingRoutes,
  gatewayRoutes,
  deadLetterRoutes,
  catalogueRoutes,
  jobRoutes,
  influxRoutes,
];

export interface ServerOptions {
  readonly guard?: RequestGuard | undefined;
  /** Speaks TLS through these. */
  readonly https?: HttpsServers | undefined;
}

/** The limits of `limits` for servers of our own making. */
export const httpsLimits = {
  ...limits,
  handshakeTimeout: HANDSHAKE_TIMEOUT,
  connectionsCheckingInterval: CHECKING_INTERVAL,
  maxConnections: MAX_CONNECTIONS,
  maxHeaderSize: MAX_HEAD_BYTES,
};

/** The API without a listener: routes, error shape, limits and OpenAPI document. */
export async function buildServer(
  context: ApiContext,
  log: Log,
  { guard, https }: ServerOptions = {},
): Promise<ApiServer> {
  const server = fastify({
    ...limits,
    ...(https
      ? { serverFactory: https.make }
      : {
          http: {
            requestTimeout: limits.requestTimeout,
            connectionsCheckingInterval: CHECKING_INTERVAL,
            maxHeaderSize: MAX_HEAD_BYTES,
          },
        }),
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: "idle",
    frameworkErrors: (error, _request, reply) => {
      const answer = problemOf(error);
      reply.raw.writeHead(answer.status, { "content-type": problemType }).end(JSON.stringify(answer));
    },
    clientErrorHandler,
  }).withTypeProvider<ZodTypeProvider>();
  if (https === undefined) boundConnections(server.server, MAX_CONNECTIONS);
  server.removeContentTypeParser("text/plain");
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.decorateRequest("caller", undefined);
  server.addHook("onRoute", expectAccess);
  if (guard) server.addHook("onRequest", guard);
  tellActions(server, log);
  server.addHook("onSend", async (_request, reply) => {
    reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
  });
  answerProblems(server, log);
  measureRequests(server, context.metrics);
  await server.register(swagger, openApiOptions(context.version));
  for (const add of routes) add(server, context);
  return server;
}

/** Who did what beyond reading stands in the log. */
function tellActions(server: ApiServer, log: Log): void {
  server.addHook("onResponse", async ({ caller, method, routeOptions: { config, url } }, reply) => {
    const isReading = config.access === undefined || config.access === "viewer" || config.access === "open";
    if (caller === undefined || isReading) return;
    const { name, kind } = caller;
    log.info(
      { caller: name, kind, method, route: url, status: reply.statusCode },
      "More than reading was asked.",
    );
  });
}

function answerProblems(server: ApiServer, log: Log): void {
  const sometimes = oncePer();
  server.setErrorHandler((error, request, reply) => {
    const answer = problemOf(error);
    if (answer.status >= 500) {
      const route = request.routeOptions.url ?? "unknown";
      const held = sometimes(`${route} ${answer.code}`);
      if (held !== undefined) log.error({ err: error, route, held }, "A request failed.");
    }
    if (answer.status === 503) reply.header("retry-after", "5");
    if (error instanceof ProblemError) reply.headers(error.headers);
    return reply.code(answer.status).type(problemType).send(JSON.stringify(answer));
  });
  server.setNotFoundHandler((request) => {
    const path = request.url.split("?", 1)[0]!.slice(0, 128);
    const where = `${request.method} ${path}`;
    throw new ProblemError(
      404,
      "unknown-address",
      `There is nothing at ${where}; GET / lists the addresses.`,
    );
  });
}

/** What is not HTTP, too large a head, or too slow, before there is a request to answer. */
function clientErrorHandler(error: NodeJS.ErrnoException, socket: Socket): void {
  const isTls = error.code !== undefined && /^(?:ERR_SSL|ERR_TLS|EPROTO)/.test(error.code);
  if (isTls || error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const body = JSON.stringify(
    problem(status, "bad-request", `The request could not be read: ${error.message}`),
  );
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${problemType}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
