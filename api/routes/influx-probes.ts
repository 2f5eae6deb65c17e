import { z } from "zod";
import type { ApiContext, ApiServer } from "../context.ts";
import { healthFor } from "../health.ts";
import { errorV2, InfluxError, noContent, versionText } from "../influx/form.ts";

const PingParameters = z.looseObject({
  verbose: z
    .string()
    .optional()
    .meta({ description: "`true`: 200 with the version, for proxies that mind 204." }),
});

const Health = z.object({
  name: z.literal("marsad"),
  message: z.string(),
  status: z.enum(["pass", "fail"]),
  checks: z.array(z.object({ name: z.string(), status: z.enum(["pass", "fail"]), message: z.string() })),
  version: z.string(),
});

/** What InfluxDB's clients ask before they begin. */
export function influxProbeRoutes(server: ApiServer, { port, version }: ApiContext): void {
  server.get(
    "/ping",
    {
      config: { access: "open" },
      schema: {
        tags: ["influxdb"],
        summary: "Is anybody there, and which version?",
        description: "204 with the header X-Influxdb-Version.",
        querystring: PingParameters,
        response: {
          200: {
            description: "With `verbose=true`.",
            content: { "application/json": { schema: z.object({ version: z.string() }) } },
          },
          204: noContent("Yes."),
        },
      },
    },
    async ({ query: { verbose = "" } }, reply) => {
      if (verbose === "" || verbose === "0" || verbose === "false") return await reply.code(204).send(null);
      return await reply.send({ version: versionText(version) });
    },
  );

  server.get(
    "/health",
    {
      config: { access: "open", tellsMore: true },
      schema: {
        tags: ["influxdb"],
        summary: "Are all parts usable, as InfluxDB 2.x says it?",
        description: "/readyz in the shape that clients of InfluxDB 2 know.",
        response: {
          200: { description: "All parts work.", content: { "application/json": { schema: Health } } },
          503: { description: "A part does not.", content: { "application/json": { schema: Health } } },
        },
      },
    },
    async ({ caller }, reply) => {
      const { ready, parts } = healthFor(caller, port);
      const checks = parts
        .filter(({ ok }) => !ok)
        .map(({ name, why }) => ({ name, status: "fail" as const, message: why ?? "not ready" }));
      return await reply.code(ready ? 200 : 503).send({
        name: "marsad",
        message: ready ? "ready for queries and writes" : "not ready",
        status: ready ? "pass" : "fail",
        checks,
        version: versionText(version),
      });
    },
  );

  server.post(
    "/api/v2/query",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["influxdb"],
        summary: "Flux is not spoken",
        description: "Says so, and where InfluxQL is.",
        response: { 400: errorV2("Always.") },
      },
    },
    () => {
      throw new InfluxError(
        400,
        "Flux is not spoken here; ask in InfluxQL at /query, with the parameters db and q, by GET or POST",
      );
    },
  );
}
