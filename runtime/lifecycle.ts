import { closeSync, openSync } from "node:fs";

const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type EndingSignal = (typeof endingSignals)[number];
/** What shells give for a program that a signal ended. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A program's request to end. */
export interface Ending extends Disposable {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP; its `reason` is the signal's name. */
  readonly signal: AbortSignal;
}

/** `reload`, which must not reject, is called at each SIGHUP: never twice at once, and at once if one came before. */
export type OnReload = (reload: () => Promise<void>) => void;

/** For a program that SIGHUP asks to read its files again. */
export interface EndingOrReload extends Ending {
  readonly onReload: OnReload;
}

/**
 * Listens for SIGINT, SIGTERM and SIGHUP until disposal: the first asks the program to end in order, the second ends it at once.
 *
 *     using ending = untilSignal();
 *     await main(ending.signal);
 */
export function untilSignal(): Ending {
  return listen(() => false);
}

/**
 * The same for a program that reads its files again: SIGHUP is a reload, unless it says that the program's terminal was closed.
 *
 *     using ending = untilSignalOrReload();
 *     await main(ending.signal, ending.onReload);
 */
export function untilSignalOrReload(): EndingOrReload {
  const hadTerminal = hasTerminal();
  let reload: (() => Promise<void>) | undefined;
  let asked = false;
  let running = false;
  const run = async (): Promise<void> => {
    if (running || !reload) return;
    running = true;
    while (asked) {
      asked = false;
      await reload();
    }
    running = false;
  };
  const ending = listen((name) => {
    if (name !== "SIGHUP" || (hadTerminal && !hasTerminal())) return false;
    asked = true;
    void run();
    return true;
  });
  return {
    ...ending,
    onReload: (wanted) => {
      reload = wanted;
      void run();
    },
  };
}

/** @param served  Whether the signal meant something else. */
function listen(served: (name: EndingSignal) => boolean): Ending {
  const controller = new AbortController();
  const end = (name: EndingSignal): void => {
    if (served(name)) return;
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

/** Is the process attached to a terminal that is still open? */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
