import type { z } from "zod";
import type { Reason } from "./rejection.ts";

export type ParsedJson =
  | { readonly ok: true; readonly text: string; readonly value: unknown }
  | {
      readonly ok: false;
      readonly reason: Extract<Reason, "syntax" | "invalid-utf8">;
      readonly detail: string;
    };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** JSON text from a payload's bytes; what is wrong with it is a value. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { ok: false, reason: "invalid-utf8", detail: "the payload is not valid UTF-8" };
  }
  try {
    return { ok: true, text, value: JSON.parse(text) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, reason: "syntax", detail: `the payload is not JSON: ${why.slice(0, 120)}` };
  }
}

/** zod's issues in one sentence, each with the key it is about. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`))
    .join("; ")
    .slice(0, 500);
}
