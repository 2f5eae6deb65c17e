import { Counter } from "prom-client";
import { expect, test } from "vitest";
import { openMetrics } from "#runtime/metrics.ts";

test("a registry has the process' own metrics and what parts add, and two registries do not mix", async () => {
  const [one, other] = [openMetrics(), openMetrics()];
  new Counter({ name: "marsad_ingest_readings_total", help: "Readings.", registers: [one] }).inc(3);
  const text = await one.metrics();
  expect(text).toContain("process_cpu_seconds_total");
  expect(text).toContain("marsad_ingest_readings_total 3");
  expect(await other.metrics()).not.toContain("marsad_ingest");
});
