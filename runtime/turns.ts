import { MarsadError } from "./errors.ts";

/**
 * Runs `work` when its turn comes.
 * @param waiting  How many may wait before it: with more it is not run, and MarsadError REFUSED is thrown.
 */
export type TakeTurn = <T>(work: () => Promise<T>, waiting: number) => Promise<T>;

/** At most `concurrent` works run at once, the others in order after them. */
export function turns(concurrent: number): TakeTurn {
  let running = 0;
  const queue: (() => void)[] = [];
  return async (work, waiting) => {
    if (running >= concurrent) {
      if (queue.length >= waiting) throw new MarsadError("REFUSED", "too many passwords wait to be verified");
      // Whoever ends hands its turn over: `running` stays.
      await new Promise<void>((resolve) => queue.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
