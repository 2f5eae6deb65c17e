import type { z } from "zod";
import { EdgeAgentConfig, settingsOf } from "./config.ts";

/** What the platform may say; the rest is the installer's: who the gateway is, whom it trusts, where it keeps what. */
export const remoteKeys = [
  "inputs",
  "register_maps",
  "sensors",
  "filters",
  "batch",
  "window",
  "compress",
  "health_period_s",
  "correct_clock",
] as const;

/** Keys that never come from the platform, at any depth: what it says is no secret, and it must not make an agent read files. */
const privateKey = /^(password|.*_password|.*_file|.*_key)$/;

/** `problem` says what is wrong, where, and how to mend it. */
export type MergedConfig =
  | { readonly ok: true; readonly config: EdgeAgentConfig }
  | { readonly ok: false; readonly problem: string };

/** What is wrong with the platform's settings by themselves; undefined: nothing. */
export function remoteProblem(remote: Readonly<Record<string, unknown>>): string | undefined {
  for (const key of Object.keys(remote)) {
    if (!(remoteKeys as readonly string[]).includes(key))
      return `${key}: cannot be set by the platform; it can set ${remoteKeys.join(", ")}`;
  }
  const hidden = findPrivate(remote, "");
  if (hidden !== undefined)
    return `${hidden}: passwords and files are the gateway's own; leave it to its file`;
  for (const [key, value] of Object.entries(remote)) {
    const parsed = settingsOf(key)?.safeParse(value);
    if (parsed === undefined) return `${key}: this agent has no such key`;
    if (!parsed.success) return describe(parsed.error, key);
  }
  return undefined;
}

/** The settings that hold: each key that the platform gives stands for the whole key of the gateway's own file. */
export function mergeRemote(
  own: EdgeAgentConfig,
  remote: Readonly<Record<string, unknown>> | null,
): MergedConfig {
  if (remote === null) return { ok: true, config: own };
  const problem = remoteProblem(remote);
  if (problem !== undefined) return { ok: false, problem };
  const parsed = EdgeAgentConfig.safeParse({ ...own, ...remote });
  return parsed.success ? { ok: true, config: parsed.data } : { ok: false, problem: describe(parsed.error) };
}

/** Keys that differ, of those that a running agent cannot change. */
export function fixedChanges(from: EdgeAgentConfig, to: EdgeAgentConfig): string[] {
  const changeable: ReadonlySet<string> = new Set(remoteKeys);
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keys].filter((key) => !changeable.has(key) && !isSame(from, to, key as keyof EdgeAgentConfig));
}

export function isSame(one: EdgeAgentConfig, other: EdgeAgentConfig, key: keyof EdgeAgentConfig): boolean {
  return JSON.stringify(one[key]) === JSON.stringify(other[key]);
}

function findPrivate(value: unknown, path: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    if (privateKey.test(key)) return at;
    const found = findPrivate(inner, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function describe(error: z.ZodError, key?: string): string {
  const text = error.issues
    .slice(0, 3)
    .map(({ path, message }) => {
      const parts = key === undefined ? path : [key, ...path];
      const at = parts.reduce<string>(
        (text, part) =>
          typeof part === "number"
            ? `${text}[${part}]`
            : text === ""
              ? String(part)
              : `${text}.${String(part)}`,
        "",
      );
      return at === "" ? message : `${at}: ${message}`;
    })
    .join("; ");
  return text.slice(0, 500);
}
