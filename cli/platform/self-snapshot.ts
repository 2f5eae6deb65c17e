import type { Registry } from "prom-client";
import type { PlatformPort } from "#api/ports.ts";
import type { Histogram, QueueFill, SelfSnapshot } from "#analytics/self/report.ts";

/** Folders whose queues `runtime/queue-metrics.ts` shows. */
const folders = ["broker", "ingest"] as const;
/** What takes the time, and the metric that measured it; routes, methods and the like are summed. */
const durations = {
  journal_commit: "marsad_ingest_journal_commit_seconds",
  store_write: "marsad_store_write_seconds",
  http_request: "marsad_api_request_duration_seconds",
} as const;

interface MetricValue {
  readonly value: number;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
  readonly metricName?: string;
}

/** What the platform says of itself at this moment, of its ledger and its metrics. */
export async function selfSnapshot(
  port: Pick<PlatformPort, "accounts" | "totals">,
  metrics: Registry,
): Promise<SelfSnapshot> {
  const [accounts, totals, queues, histograms] = await Promise.all([
    port.accounts(),
    port.totals(),
    Promise.all(folders.map((folder) => queuesOf(folder, metrics))),
    Promise.all(
      Object.entries(durations).map(
        async ([what, name]) => [what, histogramOf(await valuesOf(metrics, name))] as const,
      ),
    ),
  ]);
  return {
    at: Date.now(),
    accounts,
    totals,
    queues: queues.flat(),
    durations: Object.fromEntries(histograms),
  };
}

async function queuesOf(folder: string, metrics: Registry): Promise<QueueFill[]> {
  const [bytes, bounds] = await Promise.all(
    ["bytes", "bound_bytes"].map((unit) => valuesOf(metrics, `marsad_${folder}_queue_${unit}`)),
  );
  const bound = new Map(bounds!.map(({ labels, value }) => [labels["queue"], value]));
  return bytes!.map(({ labels, value }) => ({
    name: `${folder} ${labels["queue"]}`,
    bytes: value,
    bound_bytes: bound.get(labels["queue"]),
  }));
}

async function valuesOf(metrics: Registry, name: string): Promise<readonly MetricValue[]> {
  return (await metrics.getSingleMetric(name)?.get())?.values ?? [];
}

function histogramOf(values: readonly MetricValue[]): Histogram {
  const counts = new Map<number, number>();
  for (const { labels, value, metricName } of values) {
    if (metricName?.endsWith("_bucket") !== true) continue;
    const bound = labels["le"] === "+Inf" ? Infinity : Number(labels["le"]);
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  const bounds = [...counts.keys()].toSorted((a, b) => a - b);
  return { bounds, counts: bounds.map((bound) => counts.get(bound)!) };
}
