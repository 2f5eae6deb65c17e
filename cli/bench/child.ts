import { runLoad } from "./load-generator.ts";
import { runRawDuckDb } from "./raw-duckdb.ts";

/** What a child process of the benchmark can do, so that its CPU is counted apart. */
export const jobs = { load: runLoad, raw: runRawDuckDb };
export type Job = keyof typeof jobs;

/** The child's side: one job, asked for over the IPC channel, answered there. */
async function serve(): Promise<void> {
  process.once("message", ({ job, options }: { job: Job; options: never }) => {
    void jobs[job](options).then(
      (result) => process.send?.({ result }, () => process.disconnect()),
      (error: unknown) => process.send?.({ error: String(error) }, () => process.exit(1)),
    );
  });
}

if (process.send && process.argv[1] === import.meta.filename) await serve();
