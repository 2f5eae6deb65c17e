import { Histogram, type Registry } from "prom-client";
import type { ApiServer } from "./context.ts";

/** Times every request under its route (never its path: names in a path would make series without end). */
export function measureRequests(server: ApiServer, metrics: Registry): void {
  const duration = new Histogram({
    name: "marsad_api_request_duration_seconds",
    help: "Time from a request's head to the end of its answer.",
    labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10, 30],
    registers: [metrics],
  });
  server.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    duration.observe(labels, reply.elapsedTime / 1_000);
  });
}
