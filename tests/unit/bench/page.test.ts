import { expect, test } from "vitest";
import type { MeasuredRow } from "../../bench/measurements.ts";
import { merged } from "../../bench/measurements.ts";
import { benchmarksPage } from "../../bench/page.ts";

const measured = { at: "2026-11-27T20:00:00Z", machine: "2 x CPU", versions: "Node 24", load: 0.5 };

function row(values: readonly number[], id = "duckdb-100"): MeasuredRow {
  return {
    id,
    title: "100 a message",
    figures: [{ name: "platform", unit: "CPU-s per million", values, better: "lower", aim: { atMost: 1.2 } }],
    measured,
  };
}

test("a figure stands beside its aim, as the median of its rounds with least and most", () => {
  const page = benchmarksPage([row([1.3, 1.1, 1.15])], [], undefined);
  expect(page).toContain(
    "| 100 a message | platform, CPU-s per million | **1.15** (1.10-1.30) | <= 1.20 | yes |",
  );
  expect(benchmarksPage([row([1.3])], [], undefined)).toContain("| **1.30** | <= 1.20 | **no** |");
});

test("what got worse than in the version before is named, and noise is not", () => {
  const page = benchmarksPage([row([1.2]), row([1.05], "other")], [row([1]), row([1], "other")], undefined);
  expect(page).toContain("- 100 a message, platform: 1 before, 1.20 now.");
  expect(page.match(/ before, /g)).toHaveLength(1);
});

test("the soak's faults are listed with what was lost and twice", () => {
  const fault = {
    fault: "kill -9 of the platform",
    tried: 10,
    sent: 1_234,
    acknowledged: 1_200,
    lost: 0,
    twice: 0,
  };
  const soak = { at: "2026-11-27T20:00:00Z", passed: 3, failed: 0, skipped: 0 };
  const faults = [{ ...fault, measured: { "ready again, p95 ms": 640 } }];
  expect(benchmarksPage([], [], { ...soak, faults })).toContain(
    "| kill -9 of the platform | 10 | 1,234 | 1,200 | 0 | 0 | ready again, p95 ms: 640 |",
  );
});

test("a row measured anew takes the place of the one before, the others stay", () => {
  const rows = merged([row([1]), row([2], "other")], [row([3])], ["duckdb-100", "other"]);
  expect(rows.map(({ id, figures }) => [id, figures[0]?.values])).toEqual([
    ["duckdb-100", [3]],
    ["other", [2]],
  ]);
});
