import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { policies } from "#store/query.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import { clientSignal } from "../client-signal.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { credentialsOf } from "../credentials.ts";
import type { Bodies } from "../influx/bodies.ts";
import { errorV1, errorV2, InfluxError, noContent } from "../influx/form.ts";
import { type Precision, rewriteLines } from "../influx/lines.ts";
import type { PlatformPort, SetAsideReadings } from "../ports.ts";

/** Milliseconds that a write waits for ingest and for the journal's disk. */
const patience = 30_000;

const parameter = z.string().optional();
const Parameters = z.looseObject({
  db: parameter.meta({ description: "Not looked at: there is one database." }),
  rp: parameter.meta({ description: "`autogen`, or left out: readings are written nowhere else." }),
  precision: parameter.meta({ description: "Of the times: n, ns, u, us, ms, s, m or h. Left out: ns." }),
  u: parameter.meta({ description: "The gateway, where there is no Authorization header." }),
  p: parameter.meta({ description: "Its password." }),
});
const ParametersV2 = z.looseObject({
  bucket: parameter.meta({ description: "Not looked at, but for a retention policy behind a slash." }),
  org: parameter.meta({ description: "Not looked at." }),
  precision: parameter.meta({ description: "Of the times: ns, us, ms or s. Left out: ns." }),
});

const spellings: Readonly<Record<string, Precision>> = {
  "": "ns",
  n: "ns",
  ns: "ns",
  u: "us",
  µ: "us",
  us: "us",
  ms: "ms",
  s: "s",
  m: "m",
  h: "h",
};

const lines = z.string().meta({
  description:
    "Line protocol with the tag `sensor`; gzip with Content-Encoding. Without a time: when it arrives. The tag `host` is left out.",
});
const kept = noContent(
  "All readings are on disk. The header `marsad-waiting` counts those whose sensors nobody has registered yet.",
);
const refusals = {
  400: "Some are refused, and kept as dead letters; all others are on disk.",
  401: "No gateway has these credentials.",
  413: "More than 25 MB.",
  503: "The platform holds; send the same again.",
};
const answers = { 204: kept, ...mapped(refusals, errorV1) };
const answersV2 = { 204: kept, ...mapped(refusals, errorV2) };

/** What InfluxDB's clients write, into the way that gateways' readings go. */
export function influxWriteRoutes(server: ApiServer, { port }: ApiContext, bodies: Bodies): void {
  const write = async (
    request: FastifyRequest,
    reply: FastifyReply,
    policy: string,
    precision: string,
  ): Promise<number> => {
    const gateway = await gatewayOf(request, port);
    if (policy !== "" && policy !== policies[0])
      throw new InfluxError(400, `retention policy not found: ${policy}; readings are written to autogen`);
    const unit = spellings[precision];
    if (unit === undefined) throw new InfluxError(400, `invalid precision "${precision}"`);
    using body = await bodies.read(request.raw);
    const pieces = rewriteLines(body.bytes, { precision: unit, now: Date.now() });
    return waitingIn(await inTime(clientSignal(reply), (signal) => port.write(gateway, pieces, signal)));
  };

  server.post(
    "/write",
    {
      config: { access: "gateway", urlCredentials: true },
      schema: {
        tags: ["influxdb"],
        summary: "Readings as InfluxDB 1.x takes them",
        description:
          "The credentials name the gateway: Basic, u and p, or `Token NAME:PASSWORD`. Answered when the readings are on disk.",
        consumes: ["text/plain"],
        querystring: Parameters,
        body: lines.nullish(),
        response: answers,
      },
    },
    async (request, reply) => {
      const { rp = "", precision = "" } = request.query;
      const waiting = await write(request, reply, rp, precision);
      return reply
        .code(204)
        .headers(waiting > 0 ? { "marsad-waiting": waiting } : {})
        .send(null);
    },
  );

  server.post(
    "/api/v2/write",
    {
      config: { access: "gateway" },
      schema: {
        tags: ["influxdb"],
        summary: "Readings as InfluxDB 2.x takes them",
        description: "As /write; the token is `NAME:PASSWORD` of the gateway.",
        consumes: ["text/plain"],
        querystring: ParametersV2,
        body: lines.nullish(),
        response: answersV2,
      },
    },
    async (request, reply) => {
      const { bucket = "", precision = "" } = request.query;
      const [, policy = ""] = bucket.split("/");
      const waiting = await write(request, reply, policy, precision);
      return reply
        .code(204)
        .headers(waiting > 0 ? { "marsad-waiting": waiting } : {})
        .send(null);
    },
  );
}

async function gatewayOf(request: FastifyRequest, port: PlatformPort): Promise<GatewayIdentity> {
  const credentials = credentialsOf(request);
  const gateway =
    credentials?.kind === "basic" ? await port.gateway(credentials.name, credentials.password) : undefined;
  if (gateway) return gateway;
  throw new InfluxError(
    401,
    credentials === undefined
      ? "authorization failed: give a gateway's name and password (marsad gateway add), as Basic, u and p, or Token NAME:PASSWORD"
      : credentials.kind === "token"
        ? "authorization failed: for a write the token is NAME:PASSWORD of a gateway"
        : "authorization failed: no gateway has this name and password",
  );
}

/** @param gone  A client that left sends the same again: what it sent before must not pile up while the platform holds. */
async function inTime<T>(gone: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.any([gone, AbortSignal.timeout(patience)]);
  try {
    return await work(signal);
  } catch (error) {
    if (error !== signal.reason) throw error;
    if (gone.aborted) throw new InfluxError(400, "the client left before all of it was on disk");
    throw new InfluxError(
      503,
      `the platform could not keep it within ${patience / 1_000} s; send it again`,
      5,
    );
  }
}

/** @returns readings that wait. @throws InfluxError 400: readings are refused */
function waitingIn(aside: readonly SetAsideReadings[]): number {
  const refused = aside.filter(({ reason }) => reason !== "unknown-sensor");
  const waiting = aside.find(({ reason }) => reason === "unknown-sensor")?.readings ?? 0;
  if (refused.length === 0) return waiting;
  const dropped = refused.reduce((sum, { readings }) => sum + readings, 0);
  const why = refused.map(({ reason, detail, readings }) => `${reason}: ${detail} (${readings})`);
  // In InfluxDB's words: its clients tell by the first two that sending it again does not help.
  throw new InfluxError(400, `partial write: ${why.join("; ").slice(0, 2_000)} dropped=${dropped}`);
}

function mapped<Key extends number, From, To>(
  record: Record<Key, From>,
  to: (from: From) => To,
): Record<Key, To> {
  return Object.fromEntries(Object.entries<From>(record).map(([key, value]) => [key, to(value)])) as Record<
    Key,
    To
  >;
}
