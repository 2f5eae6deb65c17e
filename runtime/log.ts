import { createRequire } from "node:module";
import { type Logger, destination, pino, stdTimeFunctions } from "pino";
import type { PrettyOptions, PrettyStream } from "pino-pretty";

/** What every part is handed as `log`: object first, constant message, identifiers as fields. */
export type Log = Logger;

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * The program's root logger; parts get `log.child({ part: "broker" })`. One JSON object a line on stderr (stdout belongs
 * to results), or lines for people with `pretty`. Writes at once, so that the last line before a crash is there.
 */
export function openLog(options: { name: string; level: LogLevel; pretty?: boolean }): Log {
  const stderr = 2;
  return pino(
    {
      name: options.name,
      level: options.level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
    },
    options.pretty ? prettyStream(stderr) : destination({ dest: stderr, sync: true }),
  );
}

/** Loaded only when asked for: it takes as long to load as pino itself, and gateways never need it. */
function prettyStream(fd: number): PrettyStream {
  const pretty = createRequire(import.meta.url)("pino-pretty") as (options: PrettyOptions) => PrettyStream;
  return pretty({ destination: fd, sync: true, ignore: "pid,hostname,name", translateTime: "HH:MM:ss" });
}

/** Keys remembered by one `oncePer`; beyond it the oldest is forgotten, so that keys from outside cannot fill memory. */
const rememberedKeys = 1000;

/**
 * Holds back what repeats: the returned function answers a key's first call, and then at most one in `interval_ms`, with
 * how often it was held back since the last answer; undefined means hold back.
 *
 *     const held = sometimes("journal-full");
 *     if (held !== undefined) log.warn({ held, bytes }, "The journal is full; senders wait.");
 */
export function oncePer(
  interval_ms = 10_000,
  now: () => number = () => performance.now(),
): (key: string) => number | undefined {
  const seen = new Map<string, { answered_ms: number; held: number }>();
  return (key) => {
    const at_ms = now();
    const known = seen.get(key);
    if (known !== undefined && at_ms - known.answered_ms < interval_ms) {
      known.held++;
      return undefined;
    }
    seen.delete(key);
    const [oldest] = seen.keys();
    if (oldest !== undefined && seen.size >= rememberedKeys) seen.delete(oldest);
    seen.set(key, { answered_ms: at_ms, held: 0 });
    return known?.held ?? 0;
  };
}
