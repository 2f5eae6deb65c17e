/** Something the platform does now and then. What it finds it writes into the store; run twice it writes the same. */
export interface Job {
  readonly name: string;
  /** From the end of a run to the beginning of the next, ms. */
  readonly every_ms: number;
  /** What went wrong is thrown; the next run tries again. Ends soon after the signal. */
  run(signal: AbortSignal): Promise<void>;
  /** What is still to be done, in the job's own measure; undefined: it has none. */
  behind?(): number | undefined;
}

export const jobStates = ["waiting", "running", "failing"] as const;

/** A job as people see it; times in ms since 1970. */
export interface JobStatus {
  readonly name: string;
  /** `failing`: the last run failed, and the next has not begun. */
  readonly state: (typeof jobStates)[number];
  readonly runs: number;
  readonly failures: number;
  readonly last_run: number | undefined;
  /** Of the last run that ended well, seconds. */
  readonly took_s: number | undefined;
  readonly next_run: number | undefined;
  readonly behind: number | undefined;
  readonly last_error: { readonly at: number; readonly message: string } | undefined;
}
