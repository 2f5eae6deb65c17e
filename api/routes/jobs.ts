import { answers, type ApiContext, type ApiServer } from "../context.ts";
import { Jobs } from "../schemas.ts";

export function jobRoutes(server: ApiServer, { port }: ApiContext): void {
  server.get(
    "/api/v1/jobs",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["jobs"],
        summary: "The platform's own work",
        description:
          "Each job with its last run, the next, what it has still to do, and what went wrong last.",
        response: answers("The jobs.", Jobs),
      },
    },
    () => ({
      jobs: port.jobs().map(({ last_run, took_s, next_run, behind, last_error, ...job }) => ({
        ...job,
        last_run: last_run ?? null,
        took_s: took_s ?? null,
        next_run: next_run ?? null,
        behind: behind ?? null,
        last_error: last_error ?? null,
      })),
    }),
  );
}
