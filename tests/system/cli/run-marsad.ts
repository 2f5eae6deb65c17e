import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const root = join(import.meta.dirname, "..", "..", "..");
export const entry = join(root, "marsad.ts");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Without what the surroundings may say of Marsad, so that a test means the same everywhere. */
export function cleanEnvironment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(MARSAD_|NODE_|FORCE_COLOR|VITEST)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

/** Runs `marsad ARGS` as a real process until it ends. */
export async function runMarsad(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [entry, ...args], {
    env: cleanEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  return await collect(child);
}

export async function collect(child: ChildProcess): Promise<Ended> {
  const [stdout, stderr] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, "close"),
  ]);
  return { code: child.exitCode, stdout, stderr };
}
