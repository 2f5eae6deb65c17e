import { z } from "zod";
import { describeIssues, parseJson } from "./json.ts";

/** Bytes of a configuration, as the JSON of `down/config`. */
export const maxConfigBytes = 128 * 1024;

/** Which configuration: the beginning of a SHA-256 over its JSON. */
export const Revision = z.string().regex(/^[0-9a-f]{12}$/, "12 hexadecimal digits");

/** `down/config`, retained: settings that hold in place of those in the gateway's own file, whole keys at a time. */
export const ConfigMessage = z.object({
  marsad: z.literal(1).meta({ description: "Version of this message." }),
  revision: Revision,
  config: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: "Keys of the agent's configuration file; null: what the file says holds alone." }),
});
export type ConfigMessage = z.infer<typeof ConfigMessage>;

/** What a gateway says of the newest `down/config` it got. */
export const ConfigReport = z.object({
  revision: Revision,
  result: z.enum(["applied", "refused"]),
  detail: z
    .string()
    .max(500)
    .optional()
    .meta({ description: "Why it was refused: what, where, how to mend it." }),
});
export type ConfigReport = z.infer<typeof ConfigReport>;

export function formatConfig(message: Omit<ConfigMessage, "marsad">): string {
  return JSON.stringify({ marsad: 1, ...message } satisfies ConfigMessage);
}

export function parseConfig(
  bytes: Uint8Array,
): { readonly ok: true; readonly message: ConfigMessage } | { readonly ok: false; readonly detail: string } {
  const json = parseJson(bytes);
  if (!json.ok) return { ok: false, detail: json.detail };
  const parsed = ConfigMessage.safeParse(json.value);
  return parsed.success
    ? { ok: true, message: parsed.data }
    : { ok: false, detail: describeIssues(parsed.error) };
}
