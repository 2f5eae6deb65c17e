import { setTimeout as sleep } from "node:timers/promises";

/** Asks until the answer is neither undefined nor false; throws after `timeout` milliseconds, which is no measurement but an end. */
export async function poll<Answer>(
  ask: () => Answer | undefined | false | Promise<Answer | undefined | false>,
  { timeout = 60_000, interval = 50 }: { timeout?: number; interval?: number } = {},
): Promise<Answer> {
  const end = performance.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end)
      throw new Error(`no answer within ${timeout} ms: ${ask.toString().slice(0, 200)}`);
    await sleep(interval);
  }
}
