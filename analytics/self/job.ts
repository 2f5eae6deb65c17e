import type { Store } from "#store/port.ts";
import type { Job } from "../jobs/job.ts";
import { type SelfSnapshot, selfReport } from "./report.ts";

/** A gateway's silence shows on a dashboard within this and the dashboard's own refresh. */
const every_ms = 30_000;

/** Writes what the platform knows of itself into its own store, as measurements that dashboards draw and alert rules watch. */
export function selfReportJob(parts: {
  readonly snapshot: () => Promise<SelfSnapshot>;
  readonly store: Pick<Store, "writeResults">;
}): Job {
  let before: SelfSnapshot | undefined;
  return {
    name: "self-report",
    every_ms,
    async run() {
      const now = await parts.snapshot();
      await parts.store.writeResults(selfReport(now, before));
      before = now;
    },
  };
}
