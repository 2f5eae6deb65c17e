import { z } from "zod";
import { describeIssues, parseJson } from "./json.ts";

const Milliseconds = z.int().min(0).max(8.64e15);

/**
 * `down/time`: what time it is on the platform. Sent now and then, and at once in answer to a status that says when it was `sent`: then
 * `echo` has the two times that make it a round trip (RFC 5905's T1 and T2; `time` is T3).
 */
export const TimeMessage = z.object({
  marsad: z.literal(1).meta({ description: "Version of this message." }),
  id: z.int().min(0).meta({ description: "Rises with each message of a run of the platform." }),
  time: Milliseconds.meta({
    unit: "ms since 1970",
    description: "When this was sent, by the platform's clock.",
  }),
  echo: z
    .object({
      sent: Milliseconds.meta({ description: "The status's `sent`, by the gateway's clock." }),
      received: Milliseconds.meta({ description: "When the status came, by the platform's clock." }),
    })
    .optional(),
});
export type TimeMessage = z.infer<typeof TimeMessage>;

export function formatTime(message: Omit<TimeMessage, "marsad">): string {
  return JSON.stringify({ marsad: 1, ...message } satisfies TimeMessage);
}

export function parseTime(
  bytes: Uint8Array,
): { readonly ok: true; readonly message: TimeMessage } | { readonly ok: false; readonly detail: string } {
  const json = parseJson(bytes);
  if (!json.ok) return { ok: false, detail: json.detail };
  const parsed = TimeMessage.safeParse(json.value);
  return parsed.success
    ? { ok: true, message: parsed.data }
    : { ok: false, detail: describeIssues(parsed.error) };
}
