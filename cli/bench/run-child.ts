import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Job, jobs } from "./child.ts";

type Options<J extends Job> = Parameters<(typeof jobs)[J]>[0];
type Result<J extends Job> = Awaited<ReturnType<(typeof jobs)[J]>>;

/** Runs one job in a process of its own and waits for its result. */
export async function runChild<J extends Job>(
  job: J,
  options: Options<J>,
  signal: AbortSignal,
): Promise<Result<J>> {
  const child = fork(fileURLToPath(new URL("./child.ts", import.meta.url)), { signal, stdio: "inherit" });
  const answer = once(child, "message");
  const exit = once(child, "exit");
  child.send({ job, options });
  const message = await Promise.race([
    answer.then(([message]) => message as { result?: Result<J>; error?: string }),
    exit.then(() => ({ error: `the ${job} process ended without an answer` })),
  ]);
  await exit;
  if (!("result" in message) || message.result === undefined) throw new Error(message.error);
  return message.result;
}
