import { randomUUID } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isLocked, lockFolder } from "#runtime/data-lock.ts";
import { MarsadError, hasCode } from "#runtime/errors.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";
import {
  Answer,
  type HeldStore,
  type Step,
  answerFile,
  askFile,
  backupFolder,
  readMessage,
} from "./messages.ts";

/** Milliseconds: between two looks for the answer; how long a busy platform may take for it. */
const interval = 20;
const patience = 120_000;
/** The platform may be looking whether a backup that died still holds the lock. */
const lockPatience = 2_000;

/** The data folder, held still enough to be copied. Disposing lets go. */
export interface FolderHold extends AsyncDisposable {
  /** What of the store's files is to be copied; undefined for a store that has none of its own. */
  readonly store: HeldStore | undefined;
  /** The journal's copy is made: it may be trimmed again. */
  journalCopied(): Promise<void>;
  /** The store's files are copied. @throws MarsadError REFUSED: they changed meanwhile. */
  storeCopied(): Promise<void>;
}

/**
 * Holds data folder `data`: through the platform that runs on it, or, when none does, by its lock.
 * @param files  Of the store, looked at when no platform runs.
 * @throws MarsadError DATA_LOCKED: another backup is under way; REFUSED: the platform does not answer, or cannot hold
 */
export async function holdFolder(data: string, files: readonly string[]): Promise<FolderHold> {
  await using stack = new AsyncDisposableStack();
  stack.use(await lockPatiently(backupFolder(data)));
  const own = lockUnlessRunning(data);
  if (own !== undefined) {
    stack.use(own);
    const store = files.length === 0 ? undefined : { files: await sizesOf(data, files), rows: undefined };
    return holdOf(stack.move(), store, async () => undefined);
  }
  const id = randomUUID();
  const ask = async (step: Step): Promise<Answer> => {
    await writeFileAtomically(askFile(data), JSON.stringify({ id, step }), 0o600);
    return await answerTo(data, id, step);
  };
  stack.defer(async () => {
    await rm(askFile(data), { force: true });
    await rm(answerFile(data), { force: true });
  });
  const { platform, store } = await ask("hold");
  return holdOf(stack.move(), store, async (step) => {
    if ((await ask(step)).platform !== platform) throw platformEnded();
  });
}

function holdOf(
  resources: AsyncDisposableStack,
  store: FolderHold["store"],
  tell: (step: Step) => Promise<void>,
): FolderHold {
  return {
    store,
    journalCopied: () => tell("journal-copied"),
    storeCopied: () => tell("done"),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function lockPatiently(folder: string): Promise<Disposable> {
  const end = performance.now() + lockPatience;
  for (;;) {
    try {
      return lockFolder(folder);
    } catch (error) {
      if (!hasCode(error, "DATA_LOCKED") || performance.now() > end) throw error;
    }
    await sleep(interval);
  }
}

function lockUnlessRunning(data: string): Disposable | undefined {
  try {
    return lockFolder(data);
  } catch (error) {
    if (hasCode(error, "DATA_LOCKED")) return undefined;
    throw error;
  }
}

async function sizesOf(data: string, files: readonly string[]): Promise<HeldStore["files"]> {
  const sizes = files.map(async (name) => {
    const found = await stat(join(data, "store", name)).catch(() => undefined);
    return { name, bytes: found?.size ?? 0 };
  });
  return await Promise.all(sizes);
}

function platformEnded(): MarsadError {
  return new MarsadError("REFUSED", "the platform ended during the backup; try again");
}

async function answerTo(data: string, id: string, step: Step): Promise<Answer> {
  const end = performance.now() + patience;
  for (;;) {
    const answer = await readMessage(answerFile(data), Answer);
    if (answer?.id === id && answer.step === step) {
      if (answer.failure === undefined) return answer;
      throw new MarsadError(
        "REFUSED",
        `${data} could not be held for the backup: ${answer.failure}; try again`,
      );
    }
    if (!isLocked(data)) throw platformEnded();
    if (performance.now() > end) {
      const message = `the program that uses ${data} did not answer within ${patience / 1000} s: is it a platform of this version?`;
      throw new MarsadError("REFUSED", message);
    }
    await sleep(interval);
  }
}
