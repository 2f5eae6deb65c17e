import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FromChild, Job, jobs, ToChild } from "./child.ts";

type Options<J extends Job> = Parameters<(typeof jobs)[J]>[0];
type Result<J extends Job> = Awaited<ReturnType<(typeof jobs)[J]>>;

/**
 * Runs one job in a process of its own and waits for its result.
 * @param onPhase  Called when the job has come to the end of a phase; it goes on when this has resolved.
 */
export async function runChild<J extends Job>(
  job: J,
  options: Options<J>,
  signal: AbortSignal,
  onPhase: (phase: string) => Promise<void> = async () => {},
): Promise<Result<J>> {
  const child = fork(fileURLToPath(new URL("./child.ts", import.meta.url)), { signal, stdio: "inherit" });
  const exit = once(child, "exit");
  const answer = Promise.withResolvers<Result<J>>();
  child.on("message", (message: FromChild) => {
    if ("error" in message) answer.reject(new Error(message.error));
    else if ("phase" in message) {
      onPhase(message.phase).then(() => child.send({ goOn: true } satisfies ToChild), answer.reject);
    } else answer.resolve(message.result as Result<J>);
  });
  child.send({ job, options: options as never } satisfies ToChild);
  try {
    const died = exit.then(() => new Promise<never>((_, reject) => setImmediate(reject, lost(job))));
    return await Promise.race([answer.promise, died]);
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      if (child.connected) child.disconnect();
      await exit;
    }
  }
}

function lost(job: string): Error {
  return new Error(`the ${job} process ended without an answer`);
}
