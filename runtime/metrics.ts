import { Registry, collectDefaultMetrics } from "prom-client";

/** A program's metrics: its process (`process_…`, `nodejs_…`, as everybody names them), and what its parts add as `marsad_…`. */
export function openMetrics(): Registry {
  const registry = new Registry();
  // Each look at the event loop's lag wakes an idle program: every 10 ms, as is usual, is 0.4 % of a core.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  return registry;
}
