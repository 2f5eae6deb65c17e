import { observeQueues } from "#runtime/queue-metrics.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { influxProbeRoutes } from "./influx-probes.ts";
import { influxQueryRoutes } from "./influx-query.ts";
import { influxWriteRoutes } from "./influx-write.ts";
import { Bodies } from "../influx/bodies.ts";
import { speakAsInflux } from "../influx/form.ts";
import { readForms } from "../influx/forms.ts";

/** InfluxDB's own addresses, in scopes of their own: they read bodies and answer errors in another way than the rest. */
export function influxRoutes(server: ApiServer, context: ApiContext): void {
  const bodies = new Bodies();
  observeQueues(context.metrics, "api", "messages", [
    { name: "writes", bound_bytes: Bodies.bound, level: () => bodies.level },
  ]);
  const scope = (add: (scope: ApiServer) => void): void => {
    void server.register(async (inner: ApiServer) => {
      speakAsInflux(inner, context.version);
      inner.removeAllContentTypeParsers();
      add(inner);
    });
  };
  scope((inner) => {
    readForms(inner);
    influxQueryRoutes(inner, context);
    influxProbeRoutes(inner, context);
  });
  scope((inner) => {
    // Read by the route, once it knows who sends it.
    inner.addContentTypeParser("*", (_request, _payload, done) => done(null));
    influxWriteRoutes(inner, context, bodies);
  });
}
