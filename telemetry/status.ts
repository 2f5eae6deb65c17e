import { z } from "zod";
import { ConfigReport } from "./config-message.ts";
import { describeIssues, parseJson } from "./json.ts";

/** `status`, retained: the agent says that it is online; its will, or its last word before it ends, says that it is not. */
export const GatewayStatus = z.object({
  marsad: z.literal(1).meta({ description: "Version of this message." }),
  online: z.boolean(),
  agent: z.string().max(64).optional().meta({ description: "Version of the agent's software." }),
  since: z.int().min(0).optional().meta({ unit: "ms since 1970", description: "By the gateway's clock." }),
  sent: z.int().min(0).max(8.64e15).optional().meta({
    unit: "ms since 1970",
    description: "When this was sent, by the gateway's clock: please answer with down/time.",
  }),
  config: ConfigReport.optional().meta({ description: "What became of the newest down/config." }),
});
export type GatewayStatus = z.infer<typeof GatewayStatus>;

/** What an agent publishes when it is connected, and before it ends in order. */
export function formatStatus(status: Omit<GatewayStatus, "marsad">): string {
  return JSON.stringify({ marsad: 1, ...status } satisfies GatewayStatus);
}

/** What the broker publishes for an agent that is gone without a word; it says no time, for it is written at CONNECT. */
export function formatWill(): string {
  return formatStatus({ online: false });
}

export function parseStatus(
  bytes: Uint8Array,
): { readonly ok: true; readonly status: GatewayStatus } | { readonly ok: false; readonly detail: string } {
  const json = parseJson(bytes);
  if (!json.ok) return { ok: false, detail: json.detail };
  const parsed = GatewayStatus.safeParse(json.value);
  return parsed.success
    ? { ok: true, status: parsed.data }
    : { ok: false, detail: describeIssues(parsed.error) };
}
