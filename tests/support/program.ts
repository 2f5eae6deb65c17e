import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { poll } from "./poll.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface ProgramOptions {
  /** Arguments after `marsad`. */
  readonly args: readonly string[];
  /** Where its ready file and its log go. */
  readonly folder: string;
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[];
  /** A command that becomes the program, with its arguments: `strace -D …`. */
  readonly under?: readonly string[];
  /** Another program of the test's own that takes the same arguments, instead of `marsad.ts`. */
  readonly program?: string | undefined;
}

/** Milliseconds; none may be left behind by a test that fails. */
const endsWithin = 60_000;

/** A Marsad program of the test's own, as a real process. */
export interface Program<Ready> extends AsyncDisposable {
  readonly ready: Ready;
  readonly pid: number;
  readonly log: () => string;
  /** Sends the signal and waits for the end, which is a kill when it takes too long. @returns the exit code, null after a kill. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts `marsad …args --ready-file …` and waits until it says that it is ready; throws with its log when it ends before. */
export async function startProgram<Ready>({
  args,
  folder,
  name,
  env,
  nodeOptions = [],
  under = [],
  program = join(root, "marsad.ts"),
}: ProgramOptions): Promise<Program<Ready>> {
  const readyFile = join(folder, `${name}.ready.json`);
  const logFile = join(folder, `${name}.log`);
  rmSync(readyFile, { force: true });
  const log = openSync(logFile, "a");
  const [command, ...rest] = [...under, process.execPath, ...nodeOptions, program, ...args];
  const child: ChildProcess = spawn(command!, [...rest, "--ready-file", readyFile], {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...env },
    cwd: folder,
  });
  closeSync(log);
  const readLog = (): string => readFileSync(logFile, "utf8").slice(-8_000);
  const exited = once(child, "exit");
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      const impatience = setTimeout(() => child.kill("SIGKILL"), endsWithin);
      await exited;
      clearTimeout(impatience);
    }
    return child.exitCode;
  };
  const ready = await poll(() => {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(
        `marsad ${args.join(" ")} ended (${child.exitCode ?? child.signalCode}):\n${readLog()}`,
      );
    }
    return existsSync(readyFile) ? (JSON.parse(readFileSync(readyFile, "utf8")) as Ready) : undefined;
  }).catch(async (error: unknown) => {
    await end("SIGKILL");
    throw error;
  });
  return {
    ready,
    pid: child.pid ?? 0,
    log: readLog,
    end,
    [Symbol.asyncDispose]: async () => void (await end("SIGKILL")),
  };
}
