import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pRetry, { AbortError } from "p-retry";
import type { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";

/** Milliseconds between two looks for the ready file. */
const READY_POLL = 40;
/** A program that lived this long, in milliseconds, is started again at once; a shorter life waits longer each time. */
const LONG_LIFE = 30_000;
/** A log file beyond this many bytes is put aside (one is kept) when its program starts. */
const LOG_LIMIT = 16 << 20;
const LOG_LINES_SHOWN = 3;

const entry = join(import.meta.dirname, "..", "..", "marsad.ts");

export interface ProgramOptions<Ready extends z.ZodType> {
  /** The command, which is also its name on screen. */
  readonly name: string;
  readonly args: readonly string[];
  /** Its ready file and log are kept below. */
  readonly data: string;
  /** What its ready file says. */
  readonly ready: Ready;
  /** What it tells over the IPC channel. */
  readonly onMessage?: (message: unknown) => void;
  /** It ended although nobody asked it to, and is going to be started again. */
  readonly onDeath: (how: string) => void;
}

/** A command of ours that runs as a child process and is started again when it dies. */
export interface Program<Ready> {
  readonly name: string;
  /** What it said when it became ready the first time; rejects with the end of its log when it ends before. */
  readonly ready: Promise<Ready>;
  /** Asks it to end and waits; after `grace` milliseconds it is killed. Calling twice is safe. */
  stop(grace: number): Promise<void>;
}

/**
 * Starts `marsad NAME ARGS`. It is a process group of its own, so that Ctrl-C reaches this process alone, which ends its
 * programs in order; should this process vanish, the IPC channel breaks and they end by themselves.
 */
export function startProgram<Ready extends z.ZodType>(
  options: ProgramOptions<Ready>,
): Program<z.output<Ready>> {
  const { name, data } = options;
  const log = join(data, "logs", `${name}.log`);
  const readyFile = join(data, "run", `${name}.json`);
  const stopping = new AbortController();
  const ready = Promise.withResolvers<z.output<Ready>>();
  ready.promise.catch(() => undefined); // whoever waits for it hears of it
  let child: ChildProcess | undefined;
  let started = 0;
  let wasReady = false;

  const live = async (): Promise<void> => {
    await rm(readyFile, { force: true });
    started = performance.now();
    child = await launch(options, readyFile, log);
    if (stopping.signal.aborted) child.kill("SIGTERM");
    const end = endOf(child);
    const first = await Promise.race([waitForReady(readyFile, options.ready, child), end]);
    if (typeof first !== "string") {
      wasReady = true;
      ready.resolve(first.said);
    }
    const how = await end;
    if (stopping.signal.aborted) return;
    if (wasReady) throw new Error(how);
    const why = `${name} could not start (${how}); the end of ${log}:\n${await tail(log)}`;
    throw new AbortError(new MarsadError("REFUSED", why));
  };
  const supervision = pRetry(live, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 500,
    maxTimeout: 15_000,
    randomize: true,
    signal: stopping.signal,
    onFailedAttempt: ({ error }) => options.onDeath(error.message),
    shouldConsumeRetry: () => performance.now() - started < LONG_LIFE,
  });
  supervision.catch(ready.reject);

  let stopped: Promise<void> | undefined;
  const stop = async (grace: number): Promise<void> => {
    stopping.abort();
    if (child && isRunning(child)) await end(child, grace);
    await supervision.catch(() => undefined);
  };
  return { name, ready: ready.promise, stop: (grace) => (stopped ??= stop(grace)) };
}

async function launch(
  { name, args, onMessage }: ProgramOptions<z.ZodType>,
  readyFile: string,
  log: string,
): Promise<ChildProcess> {
  await mkdir(dirname(log), { recursive: true });
  await mkdir(dirname(readyFile), { recursive: true });
  const size = await stat(log).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size > LOG_LIMIT) await rename(log, `${log}.1`);
  await using file = await open(log, "a");
  const child = spawn(process.execPath, [entry, name, ...args, "--ready-file", readyFile], {
    stdio: ["ignore", file.fd, file.fd, "ipc"],
    detached: true,
    env: surroundings(),
  });
  if (onMessage) child.on("message", onMessage);
  await once(child, "spawn");
  return child;
}

/**
 * What is said of one gateway's agent or one simulation in the environment is not meant for those of the demo city; nor is a platform's certificate: the
 * city stays on this machine.
 */
function surroundings(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^MARSAD_(?:EDGE|SIM|TLS)_/.test(name));
  return Object.fromEntries(kept);
}

/** Resolves with how the child ended, in words. */
async function endOf(child: ChildProcess): Promise<string> {
  if (!isRunning(child)) return wordsFor(child.exitCode, child.signalCode);
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return wordsFor(code, signal);
}

function wordsFor(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}

/** Resolves once the file is there and whole; stays pending after the child's end. */
async function waitForReady<Ready extends z.ZodType>(
  file: string,
  schema: Ready,
  child: ChildProcess,
): Promise<{ said: z.output<Ready> }> {
  while (isRunning(child)) {
    const parsed = schema.safeParse(await readJson(file));
    if (parsed.success) return { said: parsed.data };
    await sleep(READY_POLL);
  }
  return new Promise(() => undefined);
}

/** @returns undefined while the file is not there, or not whole. */
async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function end(child: ChildProcess, grace: number): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const cut = setTimeout(() => child.kill("SIGKILL"), grace);
  await ended;
  clearTimeout(cut);
}

/** The last lines of a log but for stack frames, which say less than what stands above them. */
async function tail(file: string): Promise<string> {
  const text = await readFile(file, "utf8");
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^\s+at /.test(line));
  return lines.slice(-LOG_LINES_SHOWN).join("\n");
}
