import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { verify } from "#ingest/registry/operator.ts";
import { openRegistry } from "#ingest/registry/registry.ts";
import type { DemoGateway } from "./demo-city.ts";

/** Milliseconds between two looks whether all births have come. */
const POLL = 250;

/**
 * Declares the demo city's sensors looked at, as an operator would, once their births have reached the platform's
 * registry: sensors that nobody verified stay out of goals.
 */
export async function verifySensors(
  data: string,
  gateways: readonly DemoGateway[],
  signal: AbortSignal,
): Promise<void> {
  await using registry = await openRegistry({
    path: join(data, "registry"),
    limits: { sensorsPerGateway: Number.POSITIVE_INFINITY },
    log: pino({ level: "silent" }),
  });
  const waiting = new Map(gateways.map((gateway) => [gateway.name, gateway.sensors]));
  while (waiting.size > 0) {
    for (const [gateway, expected] of waiting) {
      const sensors = registry.sensorsOf(gateway);
      if (sensors.length < expected) continue;
      registry.change(
        sensors.filter((sensor) => !sensor.verified),
        (record) => verify(record!),
      );
      waiting.delete(gateway);
    }
    await sleep(POLL, undefined, { signal });
  }
}
