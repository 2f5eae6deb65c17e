import { setTimeout as sleep } from "node:timers/promises";
import { Counter, Gauge, type Registry } from "prom-client";
import { type Log, oncePer } from "#runtime/log.ts";
import type { Job, JobStatus } from "./job.ts";

export interface RunnerOptions {
  readonly log: Log;
  readonly metrics?: Registry;
  readonly now?: () => number;
  /** A job that failed runs again after so long, or after its own time if that is shorter, ms. */
  readonly retry_ms?: number;
}

/** Runs jobs, each by its own clock and never twice at once, until it is disposed of. */
export interface JobRunner extends AsyncDisposable {
  status(): JobStatus[];
}

export function startJobs(jobs: readonly Job[], options: RunnerOptions): JobRunner {
  return new Runner(jobs, options);
}

class Runner implements JobRunner {
  readonly #jobs: readonly RunningJob[];
  readonly #stop = new AbortController();
  readonly #ended: Promise<unknown>;

  constructor(jobs: readonly Job[], { log, metrics, now = Date.now, retry_ms = 60_000 }: RunnerOptions) {
    const untold = oncePer();
    this.#jobs = jobs.map((job) => new RunningJob(job, { log, now, retry_ms, untold }));
    if (metrics !== undefined) observeJobs(metrics, this.#jobs);
    this.#ended = Promise.all(this.#jobs.map(async (job) => await job.run(this.#stop.signal)));
  }

  status(): JobStatus[] {
    return this.#jobs.map((job) => job.status());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    const patience = new AbortController();
    const { signal } = patience;
    await Promise.race([this.#ended, sleep(endsWithin_ms, undefined, { signal }).catch(() => undefined)]);
    patience.abort();
  }
}

/** A run that waits for a store which does not answer ends when that is closed; what it was at is done again. */
const endsWithin_ms = 500;

class RunningJob {
  readonly #job: Job;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #retry_ms: number;
  readonly #untold: (key: string) => number | undefined;
  #isRunning = false;
  #runs = 0;
  #failures = 0;
  #lastRun: number | undefined;
  #took_s: number | undefined;
  #nextRun: number | undefined;
  #hasFailed = false;
  #lastError: JobStatus["last_error"];

  constructor(
    job: Job,
    {
      log,
      now,
      retry_ms,
      untold,
    }: { log: Log; now: () => number; retry_ms: number; untold: (key: string) => number | undefined },
  ) {
    this.#job = job;
    this.#log = log;
    this.#now = now;
    this.#retry_ms = retry_ms;
    this.#untold = untold;
  }

  get name(): string {
    return this.#job.name;
  }

  status(): JobStatus {
    const settled = this.#hasFailed ? "failing" : "waiting";
    return {
      name: this.name,
      state: this.#isRunning ? "running" : settled,
      runs: this.#runs,
      failures: this.#failures,
      last_run: this.#lastRun,
      took_s: this.#took_s,
      next_run: this.#nextRun,
      behind: this.#job.behind?.(),
      last_error: this.#lastError,
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#runOnce(signal);
      const pause = this.#hasFailed ? Math.min(this.#retry_ms, this.#job.every_ms) : this.#job.every_ms;
      this.#nextRun = this.#now() + pause;
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
    }
    this.#nextRun = undefined;
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const begun = performance.now();
    this.#lastRun = this.#now();
    this.#nextRun = undefined;
    this.#isRunning = true;
    this.#runs += 1;
    try {
      await this.#job.run(signal);
      this.#took_s = (performance.now() - begun) / 1000;
      this.#hasFailed = false;
    } catch (error) {
      if (signal.aborted) return;
      this.#hasFailed = true;
      this.#failures += 1;
      this.#lastError = { at: this.#now(), message: error instanceof Error ? error.message : String(error) };
      const held = this.#untold(this.name);
      if (held !== undefined)
        this.#log.warn({ err: error, job: this.name, held }, "A job failed; it is tried again.");
    } finally {
      this.#isRunning = false;
    }
  }
}

function observeJobs(registry: Registry, jobs: readonly RunningJob[]): void {
  const registers = [registry];
  const labelNames = ["job"] as const;
  const observe = (
    Kind: typeof Gauge | typeof Counter,
    name: string,
    help: string,
    value: (status: JobStatus) => number | undefined,
  ): void => {
    // oxlint-disable-next-line no-new -- it is in the registry
    new Kind({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const job of jobs) {
          const known = value(job.status());
          if (known !== undefined) this.inc({ job: job.name }, known);
        }
      },
    });
  };
  observe(Counter, "marsad_analytics_job_runs_total", "Runs of a job.", ({ runs }) => runs);
  observe(Counter, "marsad_analytics_job_failures_total", "Runs that failed.", ({ failures }) => failures);
  observe(
    Gauge,
    "marsad_analytics_job_last_seconds",
    "How long the last good run took.",
    ({ took_s }) => took_s,
  );
  observe(Gauge, "marsad_analytics_job_behind", "What a job has still to do.", ({ behind }) => behind);
}
