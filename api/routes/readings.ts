import { Readable } from "node:stream";
import { z } from "zod";
import type { ReadingRows } from "#store/port.ts";
import { problemAnswer, type ApiContext, type ApiServer } from "../context.ts";
import { isoTime, readingsAsCsv, readingsAsJson } from "../reading-format.ts";
import { planReadings, ReadingParameters, type PlannedQuery } from "../reading-query.ts";
import { Readings } from "../schemas.ts";

export function readingRoutes(server: ApiServer, { port }: ApiContext): void {
  server.get(
    "/api/v1/readings",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["readings"],
        summary: "Readings of a measurement",
        description:
          "Ordered by time, then series. When `truncated` (CSV: the header `marsad-truncated`) is true, ask again " +
          "with `from` set to the last reading's time: readings of that very instant come again.",
        querystring: ReadingParameters,
        response: {
          200: {
            description: "The readings.",
            content: {
              "application/json": { schema: Readings },
              "text/csv": {
                schema: z
                  .string()
                  .meta({ description: "RFC 4180; columns time, agency, sensor, then the fields." }),
              },
            },
          },
          default: problemAnswer,
        },
      },
    },
    async ({ query: parameters, headers }, reply) => {
      const measurements = port.catalogue.measurements;
      const plan = planReadings(
        parameters,
        (sensors) => port.series(sensors),
        measurements.map(({ name }) => name),
        Date.now(),
      );
      const fields = measurements.find(({ name }) => name === parameters.measurement)?.fields ?? [];
      const { rows, truncated } = await readUpTo(
        plan,
        fields.map(({ name }) => name),
        (query) => port.read(query),
      );

      const format = parameters.format ?? preferred(headers.accept);
      if (format === "csv") {
        reply.type("text/csv; charset=utf-8; header=present").header("marsad-truncated", truncated);
        return reply.send(stream(readingsAsCsv(rows, plan.series)));
      }
      const { measurement, from, to, order } = plan.query;
      const head = { measurement, from: isoTime(from), to: isoTime(to), order, truncated };
      reply.type("application/json; charset=utf-8");
      return reply.send(stream(readingsAsJson(head, rows, plan.series)));
    },
  );
}

/** Asks for one row more than wanted, which tells whether there are more. */
async function readUpTo(
  { query }: PlannedQuery,
  fields: readonly string[],
  read: (query: PlannedQuery["query"]) => Promise<ReadingRows>,
): Promise<{ rows: ReadingRows; truncated: boolean }> {
  if (query.series.length === 0) {
    return { rows: { fields, time: [], series: [], values: fields.map(() => []) }, truncated: false };
  }
  const rows = await read({ ...query, limit: query.limit + 1 });
  const truncated = rows.time.length > query.limit;
  return { rows: truncated ? { ...rows, time: rows.time.slice(0, query.limit) } : rows, truncated };
}

function preferred(accept: string | undefined): "json" | "csv" {
  return accept?.includes("text/csv") && !accept.includes("application/json") ? "csv" : "json";
}

/** Typed as `never` because fastify's types know only the parsed body; a stream passes every serializer. */
function stream(pieces: AsyncGenerator<string>): never {
  return Readable.from(pieces, { objectMode: false }) as never;
}
