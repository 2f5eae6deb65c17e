/** A closed terminal (SIGHUP) is a request like the others. */
const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What shells give for a program that a signal ended. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A program's request to end. */
export interface Ending extends Disposable {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP; its `reason` is the signal's name. */
  readonly signal: AbortSignal;
}

/**
 * Listens for SIGINT, SIGTERM and SIGHUP until disposal: the first asks the program to end in order, the second ends it at once.
 *
 *     using ending = untilSignal();
 *     await main(ending.signal);
 */
export function untilSignal(): Ending {
  const controller = new AbortController();
  const end = (name: (typeof endingSignals)[number]): void => {
    if (!controller.signal.aborted) return controller.abort(name);
    process.stderr.write(`${name} again: ends at once. What was acknowledged is on disk.\n`);
    process.exit(exitCodes[name]);
  };
  for (const name of endingSignals) process.on(name, end);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of endingSignals) process.off(name, end);
    },
  };
}
