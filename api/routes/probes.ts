import { z } from "zod";
import type { ApiContext, ApiServer } from "../context.ts";
import { healthFor } from "../health.ts";
import { problem, problemType } from "../problem.ts";
import { Health, NotReady } from "../schemas.ts";

/** For supervisors and Prometheus: is the process alive, is it usable, what are its figures? */
export function probeRoutes(server: ApiServer, { port, metrics }: ApiContext): void {
  server.get(
    "/healthz",
    {
      config: { access: "open" },
      schema: {
        tags: ["probes"],
        summary: "Is the process alive?",
        description: "Answers as long as the process does; says nothing of its parts.",
        response: {
          200: {
            description: "It is.",
            content: { "application/json": { schema: z.object({ status: z.literal("alive") }) } },
          },
        },
      },
    },
    () => ({ status: "alive" as const }),
  );

  server.get(
    "/readyz",
    {
      config: { access: "open", tellsMore: true },
      schema: {
        tags: ["probes"],
        summary: "Are all parts usable?",
        description:
          "503 until broker, journal, registry and store all work; the answer names each part, and what ails it to those who may view.",
        response: {
          200: { description: "All parts work.", content: { "application/json": { schema: Health } } },
          503: {
            description: "A part does not work.",
            content: { "application/problem+json": { schema: NotReady } },
          },
        },
      },
    },
    async ({ caller }, reply) => {
      const { ready, parts } = healthFor(caller, port);
      if (ready) return reply.send({ ready, parts: [...parts] });
      const ailing = parts
        .filter((part) => !part.ok)
        .map((part) => `${part.name}: ${part.why ?? "not ready"}`);
      const detail = ailing.length > 0 ? ailing.join("; ") : "The platform is starting or stopping.";
      const body = { ...problem(503, "not-ready", detail), ready: false as const, parts: [...parts] };
      return reply.code(503).type(problemType).send(body);
    },
  );

  server.get(
    "/metrics",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["probes"],
        summary: "Figures for Prometheus",
        description: "Every metric of the process in Prometheus' text format.",
        response: {
          200: { description: "The figures.", content: { "text/plain": { schema: z.string() } } },
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );
}
