import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { observeQueues } from "#runtime/queue-metrics.ts";

test("a queue shows its depth, bytes, bound and the age of its oldest, and is asked once a scrape", async () => {
  const registry = new Registry();
  let asked = 0;
  observeQueues(registry, "ingest", "readings", [
    {
      name: "journal",
      bound_bytes: 4096,
      level: async () => {
        asked += 1;
        return { depth: 3, bytes: 120, oldest_ms: 1_500 };
      },
    },
    { name: "commit", level: () => ({ bytes: 7 }) },
  ]);
  const values = (await registry.metrics())
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(values).toEqual([
    'marsad_ingest_queue_readings{queue="journal"} 3',
    'marsad_ingest_queue_bytes{queue="journal"} 120',
    'marsad_ingest_queue_bytes{queue="commit"} 7',
    'marsad_ingest_queue_bound_bytes{queue="journal"} 4096',
    'marsad_ingest_queue_oldest_seconds{queue="journal"} 1.5',
  ]);
  expect(asked).toBe(1);
  await registry.metrics();
  expect(asked).toBe(2);
});
