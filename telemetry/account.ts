import { z } from "zod";
import { reasons } from "./rejection.ts";

const count = z.number().int().nonnegative();

/**
 * One gateway's ledger: `sent = stored + duplicate + refused + on its way`, counted in readings. `merged` is part of
 * `stored`. The sides come from different places (what the journal took, what the store made of it), so a lost
 * or invented reading shows as `balanced: false`.
 */
export const GatewayAccount = z.object({
  gateway: z.string(),
  agency: z.string(),
  connected: z.boolean(),
  last_seen: z.number().nullable().meta({ unit: "ms since 1970" }),
  sensors: count,
  sent: count,
  stored: count,
  merged: count,
  duplicate: count,
  refused: count,
  refused_by_reason: z.partialRecord(z.enum(reasons), count),
  on_its_way: z.object({
    waiting: count.meta({
      description: "Readings of unknown sensors, kept until a birth or `marsad sensor add`.",
    }),
    journal: count.meta({ description: "On the platform's disk, not yet in the store." }),
    missing: count.meta({ description: "Reading numbers below the highest seen that have not arrived." }),
  }),
  missing: z
    .array(z.object({ outbox: z.string(), from: count, to: count }))
    .meta({ description: "The first gaps, `to` exclusive." }),
  balanced: z.boolean(),
});
export type GatewayAccount = z.infer<typeof GatewayAccount>;

/** A refused piece of a payload: readings of one message that share a reason. */
export const DeadLetter = z.object({
  id: z.string(),
  gateway: z.string(),
  agency: z.string(),
  at: z.number().meta({ unit: "ms since 1970", description: "When it was refused." }),
  channel: z.string(),
  reason: z.enum(reasons),
  detail: z.string(),
  readings: count,
  sha256: z.string().meta({ description: "Of the refused bytes, first 16 hex digits." }),
  bytes: count,
  kept: z.boolean().meta({ description: "Whether the bytes are still kept." }),
});
export type DeadLetter = z.infer<typeof DeadLetter>;
