import pino from "pino";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import type { Job } from "#analytics/jobs/job.ts";
import { retentionJob } from "#analytics/jobs/retention-job.ts";
import { startJobs } from "#analytics/jobs/runner.ts";

function logTo(lines: string[]): pino.Logger {
  return pino({ level: "info" }, { write: (line: string) => lines.push(line) });
}

test("a job that fails is tried again, logged once, and says what went wrong until it ends well", async () => {
  const lines: string[] = [];
  const metrics = new Registry();
  let tries = 0;
  const failing: Job = {
    name: "failing",
    every_ms: 2,
    behind: () => 3,
    async run() {
      tries += 1;
      if (tries <= 4) throw new Error("the store is away");
    },
  };
  await using runner = startJobs([failing], { log: logTo(lines), metrics });
  await expect.poll(() => runner.status()[0]?.failures).toBeGreaterThan(2);
  await expect.poll(() => runner.status()[0]?.state).toBe("waiting");
  expect(runner.status()[0]).toMatchObject({
    name: "failing",
    behind: 3,
    failures: 4,
    last_error: { message: "the store is away" },
  });
  expect(lines).toHaveLength(1);
  const shown = await metrics.metrics();
  expect(shown).toContain('marsad_analytics_job_failures_total{job="failing"} 4');
  expect(shown).toContain('marsad_analytics_job_behind{job="failing"} 3');
});

test("a job of once a day that failed does not wait for a day", async () => {
  let tries = 0;
  const daily: Job = {
    name: "daily",
    every_ms: 86_400_000,
    async run() {
      tries += 1;
      if (tries === 1) throw new Error("the store is away");
    },
  };
  await using runner = startJobs([daily], { log: logTo([]), retry_ms: 5 });
  await expect.poll(() => runner.status()[0]).toMatchObject({ state: "waiting", runs: 2, failures: 1 });
  expect(runner.status()[0]!.next_run! - Date.now()).toBeGreaterThan(86_000_000);
});

test("jobs run beside one another, none twice at once, and end when they are asked to", async () => {
  let [running, most] = [0, 0];
  let hasEnded = false;
  const slow: Job = {
    name: "slow",
    every_ms: 1,
    async run(signal) {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      running -= 1;
      hasEnded = true;
    },
  };
  let quickRuns = 0;
  const quick: Job = {
    name: "quick",
    every_ms: 1,
    run: async () => {
      quickRuns += 1;
    },
  };
  const runner = startJobs([slow, quick], { log: logTo([]) });
  await expect.poll(() => quickRuns).toBeGreaterThan(5);
  expect(runner.status().map(({ name, state }) => `${name} ${state}`)).toContain("slow running");
  await runner[Symbol.asyncDispose]();
  expect([most, hasEnded]).toEqual([1, true]);
});

test("a job that waits for a store which does not answer holds up no end", async () => {
  const lines: string[] = [];
  const { promise: answer, reject } = Promise.withResolvers<never>();
  const hanging: Job = { name: "hanging", every_ms: 1, run: async () => await answer };
  const runner = startJobs([hanging], { log: logTo(lines) });
  await runner[Symbol.asyncDispose]();
  // The store is closed only then, and says so.
  reject(new Error("the store is closed"));
  await expect.poll(() => runner.status()[0]?.state).toBe("waiting");
  expect(lines).toEqual([]);
});

test("retention asks the store to forget what is older, of the policies that have an end", async () => {
  const asked: string[] = [];
  const lines: string[] = [];
  const job = retentionJob({
    store: {
      expire: async (policy, before) => {
        asked.push(`${policy} ${new Date(before).toISOString()}`);
        return policy === "rollup_1m" ? ["30 days of water_flow"] : [];
      },
    },
    keptDays: { autogen: 400, rollup_1m: 30, rollup_1h: undefined },
    log: logTo(lines),
    now: () => Date.UTC(2026, 10, 28),
  });
  await job.run(new AbortController().signal);
  expect(asked).toEqual(["autogen 2025-10-24T00:00:00.000Z", "rollup_1m 2026-10-29T00:00:00.000Z"]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("30 days of water_flow");
});
