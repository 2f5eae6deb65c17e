import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { QueryRequest } from "#store/query.ts";
import { clientSignal } from "../client-signal.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { errorV1, InfluxError } from "../influx/form.ts";

/**
 * Milliseconds for a query, and for whoever reads its answer; also without a byte between. The store's own limits, which are configured, end both long
 * before.
 */
const longest = 2 * 3_600_000;
/** Rows of a piece where `chunk_size` does not say. */
const chunkRows = 10_000;

const parameter = z.string().optional();
const Parameters = z.looseObject({
  q: parameter.meta({ description: "InfluxQL: one statement, or several with `;` between them." }),
  db: parameter.meta({ description: "The database: `marsad`, or InfluxDB's as configured." }),
  rp: parameter.meta({ description: "The retention policy of measurements that name none." }),
  epoch: parameter.meta({ description: "Times as numbers: ns, u, ms, s, m or h. Left out: RFC 3339." }),
  params: parameter.meta({ description: "A JSON object: what `$name` stands for in the text." }),
  chunked: parameter.meta({ description: "`true`: the answer comes as several documents, a line each." }),
  chunk_size: parameter.meta({ description: `Rows of each of them; ${chunkRows} when left out.` }),
  pretty: parameter.meta({ description: "`true`: JSON for people." }),
  u: parameter.meta({ description: "The user, where there is no Authorization header." }),
  p: parameter.meta({ description: "The password." }),
});
type Parameters = z.infer<typeof Parameters>;

const Results = z.object({
  results: z.array(
    z.object({
      statement_id: z.int(),
      series: z
        .array(
          z.object({
            name: z.string().optional(),
            tags: z.record(z.string(), z.string()).optional(),
            columns: z.array(z.string()),
            values: z.array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()]))).optional(),
            partial: z.boolean().optional(),
          }),
        )
        .optional(),
      messages: z.array(z.object({ level: z.string(), text: z.string() })).optional(),
      error: z.string().optional(),
      partial: z.boolean().optional(),
    }),
  ),
});

const answers = {
  200: {
    description: "What each statement answers, or what is wrong with it.",
    content: {
      "application/json": { schema: Results },
      "text/csv": { schema: z.string() },
    },
  },
  400: errorV1("The text cannot be read."),
  401: errorV1("Nobody has these credentials."),
  503: errorV1("The store does not answer, or too many queries wait."),
};

/** InfluxDB's `/query`, read-only: for Grafana's InfluxQL data source and everybody else who speaks it. */
export function influxQueryRoutes(server: ApiServer, { port }: ApiContext): void {
  const shared = {
    config: { access: "viewer", urlCredentials: true },
    exposeHeadRoute: false,
    handlerTimeout: longest,
  } as const;
  const schema = {
    tags: ["influxdb"],
    summary: "InfluxQL, as InfluxDB answers it",
    description:
      "Reads only: SELECT, SHOW and EXPLAIN; docs/influxql.md says what is spoken. CSV for `Accept: text/csv`. Errors are in InfluxDB's form: " +
      "`error` of a statement, or of the answer when the whole request cannot be read.",
    querystring: Parameters,
    response: answers,
  };

  const answer = async (parameters: Parameters, accept: string | undefined, reply: FastifyReply) => {
    reply.raw.socket?.setTimeout(longest); // for this request: the server sets its own again for the next
    const { status, contentType, body } = await port.query(
      requestOf(parameters, accept, clientSignal(reply)),
    );
    return reply
      .code(status)
      .type(contentType)
      .send(Readable.from(body, { objectMode: false }));
  };

  server.get(
    "/query",
    { ...shared, schema },
    async ({ query, headers }, reply) => await answer(query, headers.accept, reply),
  );
  server.post(
    "/query",
    {
      ...shared,
      schema: { ...schema, consumes: ["application/x-www-form-urlencoded"], body: Parameters.nullish() },
    },
    async ({ query, body, headers }, reply) => await answer({ ...query, ...body }, headers.accept, reply),
  );
}

function requestOf(parameters: Parameters, accept: string | undefined, signal: AbortSignal): QueryRequest {
  const { q = "", db = "", rp = "", epoch = "", chunked, chunk_size, pretty, params = "" } = parameters;
  if (q.trim() === "") throw new InfluxError(400, 'missing required parameter "q"');
  return {
    q,
    db: db === "" ? undefined : db,
    rp: rp === "" ? undefined : rp,
    epoch: epochOf(epoch.trim()),
    params: params === "" ? undefined : bindsOf(params),
    format: csvTypes.has(accept ?? "") ? "csv" : "json",
    pretty: pretty === "true",
    chunk: chunked === "true" ? rowsOf(chunk_size) : undefined,
    signal,
  };
}

/** As InfluxDB looks at it: no list, no weights. */
const csvTypes: ReadonlySet<string> = new Set(["text/csv", "application/csv"]);

const epochs: Readonly<Record<string, QueryRequest["epoch"]>> = {
  u: "u",
  µ: "u",
  us: "u",
  ms: "ms",
  s: "s",
  m: "m",
  h: "h",
};

/** Any other word counts nanoseconds, as in InfluxDB. */
function epochOf(text: string): QueryRequest["epoch"] {
  return text === "" ? undefined : Object.hasOwn(epochs, text) ? epochs[text] : "ns";
}

function rowsOf(text: string | undefined): number {
  const rows = Number(text ?? chunkRows);
  return Number.isSafeInteger(rows) && rows > 0 ? rows : chunkRows;
}

function bindsOf(text: string): Record<string, unknown> {
  let params: unknown;
  try {
    params = JSON.parse(text);
  } catch (error) {
    throw new InfluxError(400, `error parsing query parameters: ${(error as Error).message}`);
  }
  if (typeof params === "object" && params !== null && !Array.isArray(params))
    return params as Record<string, unknown>;
  throw new InfluxError(400, "error parsing query parameters: a JSON object is wanted");
}
