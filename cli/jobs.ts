import { Command } from "commander";
import { type Job, Jobs } from "#api/schemas.ts";
import { caOption, httpOption, jsonOption, openClient, userOption } from "./client.ts";
import { grouped, paint, printJson, shortTime } from "./output.ts";
import { type Column, formatTable } from "./table.ts";

/** `marsad jobs`: exit code 1 while one fails. */
export function jobsCommand(): Command {
  return new Command("jobs")
    .description(
      "What the platform does by itself: roll-ups, retention; when, how far it is, and what went wrong.",
    )
    .addOption(httpOption())
    .addOption(caOption())
    .addOption(userOption())
    .addOption(jsonOption())
    .action(async (options: { http: string; user?: string; json: boolean }) => {
      const { jobs } = await openClient(options.http, options.user).get("/api/v1/jobs", Jobs);
      if (options.json) printJson({ jobs });
      else process.stdout.write(formatJobs(jobs));
      if (jobs.some(({ state }) => state === "failing")) process.exitCode = 1;
    });
}

const columns: readonly Column<Job>[] = [
  { title: "JOB", value: ({ name }) => name },
  { title: "STATE", value: ({ state }) => state },
  { title: "LAST RUN", value: ({ last_run }) => shortTime(last_run) },
  {
    title: "TOOK",
    value: ({ took_s }) => (took_s === null ? undefined : `${took_s.toFixed(2)} s`),
    align: "right",
  },
  { title: "NEXT RUN", value: ({ next_run }) => shortTime(next_run) },
  { title: "BEHIND", value: ({ behind }) => (behind === null ? undefined : grouped(behind)), align: "right" },
  { title: "RUNS", value: ({ runs }) => grouped(runs), align: "right" },
  { title: "FAILED", value: ({ failures }) => grouped(failures), align: "right" },
];

/** The jobs as a table; below, what went wrong last. */
export function formatJobs(jobs: readonly Job[]): string {
  const errors = jobs.flatMap(({ name, state, last_error: error }) => {
    if (error === null) return [];
    const line = `${name}: ${shortTime(error.at)}: ${error.message}`;
    return [state === "failing" ? paint.bad(line) : line];
  });
  const table = formatTable(columns, jobs);
  return errors.length > 0 ? `${table}\n${errors.join("\n")}\n` : table;
}
