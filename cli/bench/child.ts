import { once } from "node:events";
import { runLoad } from "./load-generator.ts";
import { runRawDuckDb } from "./raw-duckdb.ts";

/** What a child process of the benchmark can do, so that its CPU is counted apart. */
export const jobs = { load: runLoad, raw: runRawDuckDb };
export type Job = keyof typeof jobs;

export type ToChild = { readonly job: Job; readonly options: never } | { readonly goOn: true };
export type FromChild =
  | { readonly phase: string }
  | { readonly result: unknown }
  | { readonly error: string };

/** Tells the parent that a phase has ended and waits for its word to go on. */
export type EndPhase = (phase: string) => Promise<void>;

/** The child's side: one job, asked for over the IPC channel, answered there. */
function serve(): void {
  process.once("message", ({ job, options }: { job: Job; options: never }) => {
    void jobs[job](options, endPhase).then(
      (result) => send({ result }, () => process.disconnect()),
      (error: unknown) => send({ error: String(error) }, () => process.exit(1)),
    );
  });
}

const endPhase: EndPhase = async (phase) => {
  const goOn = once(process, "message");
  send({ phase });
  await goOn;
};

function send(message: FromChild, done: () => void = () => {}): void {
  process.send?.(message, done);
}

if (process.send && process.argv[1] === import.meta.filename) serve();
