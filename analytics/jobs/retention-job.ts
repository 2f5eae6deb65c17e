import type { Log } from "#runtime/log.ts";
import type { Store } from "#store/port.ts";
import { type Policy, policies } from "#store/query.ts";
import type { Job } from "./job.ts";

const day_ms = 24 * 3_600_000;

export interface RetentionJobOptions {
  readonly store: Pick<Store, "expire">;
  /** For how many days rows are kept; undefined: for ever. */
  readonly keptDays: Readonly<Partial<Record<Policy, number | undefined>>>;
  readonly log: Log;
  readonly now?: () => number;
}

/** Lets the store forget what is older than it is to be kept: once a day, and at the start. */
export function retentionJob({ store, keptDays, log, now = Date.now }: RetentionJobOptions): Job {
  return {
    name: "retention",
    every_ms: day_ms,
    async run(signal) {
      for (const policy of policies) {
        const days = keptDays[policy];
        if (days === undefined || signal.aborted) continue;
        const gone = await store.expire(policy, now() - days * day_ms);
        if (gone.length > 0) log.info({ policy, days, gone }, "What is past its retention was forgotten.");
      }
    },
  };
}
