import { z } from "zod";
import { parseRfc3339 } from "#telemetry/rfc3339.ts";

/** 1973-03-03 in milliseconds; a smaller number other than 0 is a time in seconds. */
const SMALLEST_MS = 1e11;
/** 5138-11-16 in milliseconds; a greater number is a time in micro- or nanoseconds. */
const GREATEST_MS = 1e14;

export type ParsedInstant =
  | { readonly ok: true; readonly time: number }
  | { readonly ok: false; readonly detail: string };

/**
 * An instant in a query: RFC 3339 with its offset, or milliseconds since 1970. A `+` that was not percent-encoded
 * arrives as a space and is read as `+`.
 * @returns Milliseconds since 1970, or what is wrong and how to write it.
 */
export function parseInstant(text: string): ParsedInstant {
  if (/^\d+$/.test(text)) return parseMilliseconds(text);
  const repaired = text.replace(/ (?=\d\d:\d\d$)/, "+");
  const time = parseRfc3339(repaired);
  if (time !== undefined) return { ok: true, time };
  const hint =
    parseRfc3339(`${repaired}Z`) !== undefined
      ? `has no offset: write ${repaired}Z, or ${repaired}+03:00 for local time`
      : "is not a time: write RFC 3339 with an offset (2026-01-31T08:00:00Z) or milliseconds since 1970";
  return { ok: false, detail: `${JSON.stringify(text.slice(0, 64))} ${hint}` };
}

function parseMilliseconds(text: string): ParsedInstant {
  const time = Number(text);
  if (time === 0 || (time >= SMALLEST_MS && time < GREATEST_MS)) return { ok: true, time };
  const unit = time < SMALLEST_MS ? "seconds" : "micro- or nanoseconds";
  return {
    ok: false,
    detail: `${text.slice(0, 64)} looks like ${unit}: numbers are milliseconds since 1970`,
  };
}

/** A query parameter that is an instant; its output is milliseconds since 1970. */
export const Instant = z.string().transform((text, context) => {
  const parsed = parseInstant(text);
  if (parsed.ok) return parsed.time;
  context.addIssue({ code: "custom", message: parsed.detail });
  return z.NEVER;
});
