import { Registry, collectDefaultMetrics } from "prom-client";

/** A program's metrics: its process (`process_…`, `nodejs_…`, as everybody names them), and what its parts add as `marsad_…`. */
export function openMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
