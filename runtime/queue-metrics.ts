import { Gauge, type Registry } from "prom-client";

/** What waits in a queue at this moment. */
export interface QueueLevel {
  /** How many, in the unit of the folder's queues; undefined where they are counted in another queue. */
  readonly depth?: number;
  readonly bytes?: number;
  /** Milliseconds that the oldest has waited, 0 if nothing waits; undefined where nobody keeps the time. */
  readonly oldest_ms?: number | undefined;
}

export interface ObservedQueue {
  readonly name: string;
  /** What happens when it is full is said where its bound is set. */
  readonly bound_bytes?: number;
  readonly level: () => QueueLevel | Promise<QueueLevel>;
}

/**
 * Shows the queues of a folder, each by its name, once per registry: `marsad_<folder>_queue_<unit>`, `…_bytes`, `…_bound_bytes` and
 * `…_oldest_seconds`. Read when metrics are asked for, each level once.
 */
export function observeQueues(
  registry: Registry,
  folder: string,
  unit: "readings" | "messages",
  queues: readonly ObservedQueue[],
): void {
  const read = queues.map(({ name, level, bound_bytes }) => ({ name, level: shared(level), bound_bytes }));
  const gauge = (
    name: string,
    help: string,
    value: (level: QueueLevel, bound_bytes: number | undefined) => number | undefined,
  ): void => {
    registry.registerMetric(
      new Gauge({
        name: `marsad_${folder}_queue_${name}`,
        help,
        labelNames: ["queue"],
        registers: [],
        async collect() {
          for (const { name: queue, level, bound_bytes } of read) {
            const shown = value(await level(), bound_bytes);
            if (shown !== undefined) this.set({ queue }, shown);
          }
        },
      }),
    );
  };
  gauge(unit, `What waits in each queue, in ${unit}.`, ({ depth }) => depth);
  gauge("bytes", "Bytes that wait in each queue.", ({ bytes }) => bytes);
  gauge("bound_bytes", "Bytes that a queue may hold.", (_, bound_bytes) => bound_bytes);
  gauge("oldest_seconds", "How long the oldest has waited; 0 when nothing waits.", ({ oldest_ms }) =>
    oldest_ms === undefined ? undefined : oldest_ms / 1_000,
  );
}

/** Calls that overlap share one answer: the gauges of one scrape ask at the same time. */
function shared<T>(ask: () => T | Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined;
  return async () => {
    pending ??= Promise.resolve(ask()).finally(() => {
      pending = undefined;
    });
    return await pending;
  };
}
