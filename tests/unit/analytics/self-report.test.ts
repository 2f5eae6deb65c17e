import { expect, test } from "vitest";
import { selfReportJob } from "#analytics/self/job.ts";
import { type SelfSnapshot, quantile, selfReport } from "#analytics/self/report.ts";
import type { ResultBatch } from "#store/results.ts";
import { results } from "#telemetry/results.ts";

const gateway = {
  agency: "water",
  merged: 0,
  refused_by_reason: {},
  missing: [],
  balanced: true,
  duplicate: 1,
  refused: 2,
};
const before: SelfSnapshot = {
  at: 1_000_000,
  accounts: [],
  totals: { received: 100, stored: 90, duplicate: 0, refused: 0 },
  queues: [],
  durations: { journal_commit: { bounds: [0.01, 0.1, Infinity], counts: [100, 100, 100] } },
};
const now: SelfSnapshot = {
  at: 1_030_000,
  accounts: [
    {
      ...gateway,
      gateway: "gw-1",
      connected: true,
      last_seen: 1_027_500,
      sensors: 3,
      sent: 13,
      stored: 10,
      on_its_way: { waiting: 0, journal: 0, missing: 0 },
    },
    {
      ...gateway,
      gateway: "gw-2",
      connected: false,
      last_seen: null,
      sensors: 0,
      sent: 0,
      stored: 0,
      on_its_way: { waiting: 4, journal: 5, missing: 6 },
    },
  ],
  totals: { received: 400, stored: 360, duplicate: 30, refused: 3 },
  queues: [
    { name: "ingest journal", bytes: 512, bound_bytes: 2048 },
    { name: "ingest commit", bytes: 7, bound_bytes: undefined },
  ],
  durations: { journal_commit: { bounds: [0.01, 0.1, Infinity], counts: [100, 200, 200] } },
};

test("gateways, queues and rates are rows of the measurements that the platform names", () => {
  const batches = selfReport(now, before);
  expect(batches.map(table)).toEqual([
    {
      agency: ["water", "water"],
      gateway: ["gw-1", "gw-2"],
      connected: [1, 0],
      silent_s: [2.5, NaN],
      sensors: [3, 0],
      sent: [13, 0],
      stored: [10, 0],
      duplicate: [1, 1],
      refused: [2, 2],
      waiting: [0, 4],
      journal: [0, 5],
      missing: [0, 6],
    },
    {
      queue: ["ingest journal", "ingest commit"],
      bytes: [512, 7],
      bound_bytes: [2048, NaN],
      fill: [0.25, NaN],
    },
    {
      what: ["received", "stored", "duplicate", "refused", "journal_commit"],
      per_s: [10, 9, 1, 0.1, expect.closeTo(100 / 30)],
      total: [400, 360, 30, 3, 200],
      p50_s: [NaN, NaN, NaN, NaN, expect.closeTo(0.055)],
      p99_s: [NaN, NaN, NaN, NaN, expect.closeTo(0.0991)],
    },
  ]);
  for (const { measurement, fields, tagSets, time } of batches) {
    const meant = results.find(({ name }) => name === measurement)!;
    expect(fields.map(({ name, type }) => [name, type])).toEqual(
      meant.fields.map(({ name, type }) => [name, type]),
    );
    for (const tags of tagSets!) expect(meant.tags).toEqual(expect.arrayContaining(Object.keys(tags)));
    expect(new Set(time)).toEqual(new Set([1_030_000]));
  }
});

test("a first look has no rates, and a platform without gateways no ledger", () => {
  const batches = selfReport({ ...now, accounts: [] }, undefined);
  expect(batches.map(({ measurement }) => measurement)).toEqual(["platform_queue", "platform_rate"]);
  expect(table(batches[1]!)["per_s"]).toEqual([NaN, NaN, NaN, NaN, NaN]);
});

test("a quantile lies within its bucket, at most at the last bound that is known", () => {
  const histogram = { bounds: [1, 2, Infinity], counts: [0, 10, 20] };
  expect(quantile(histogram, 0.25)).toBe(1.5);
  expect(quantile(histogram, 0.99)).toBe(2);
  expect(quantile({ bounds: [1, Infinity], counts: [0, 0] }, 0.5)).toBeNaN();
});

function table({ fields, tagSets }: ResultBatch): Record<string, unknown[]> {
  const tags = Object.keys(tagSets![0]!).map((key) => [key, tagSets!.map((set) => set[key])] as const);
  return Object.fromEntries([...tags, ...fields.map(({ name, values }) => [name, [...values]] as const)]);
}

test("a report that the store did not take leaves no gap in the next one's rates", async () => {
  const written: (readonly ResultBatch[])[] = [];
  let refuses = false;
  const snapshots = [before, { ...now, at: 1_010_000 }, now];
  const job = selfReportJob({
    snapshot: async () => snapshots.shift()!,
    store: {
      async writeResults(batches) {
        if (refuses) throw new Error("the disk is full");
        written.push(batches);
      },
    },
  });
  const { signal } = new AbortController();
  await job.run(signal);
  refuses = true;
  await expect(job.run(signal)).rejects.toThrow("full");
  refuses = false;
  await job.run(signal);
  expect(written.at(-1)).toEqual(selfReport(now, before));
});
