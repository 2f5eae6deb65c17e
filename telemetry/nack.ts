import { z } from "zod";
import { describeIssues, parseJson } from "./json.ts";
import { reasons } from "./rejection.ts";
import type { Reason } from "./rejection.ts";

/** A nack explains this many refusals; the rest are counted. */
export const nackRejectionLimit = 20;
/** Longest excerpt of a refused reading, in UTF-16 units. */
const excerptLength = 200;

/** `down/nack`: what was refused and why. Never parsed for `detail`: match `reason`. */
export const Nack = z.object({
  marsad: z.literal(1).meta({ description: "Version of this message." }),
  count: z.int().min(0).meta({ description: "Refusals since the last nack; the first are explained." }),
  rejections: z
    .array(
      z.object({
        reason: z.enum(reasons),
        detail: z.string().meta({ description: "What was wrong and how to mend it, for people." }),
        outbox: z.string().optional().meta({ description: "The outbox that `number` counts in." }),
        number: z.int().min(0).optional().meta({ description: "The reading's number in its outbox." }),
        excerpt: z.string().meta({ description: "The refused reading, or its beginning." }),
      }),
    )
    .max(nackRejectionLimit),
});
export type Nack = z.infer<typeof Nack>;

/** `down/rebirth`: please send the birth again. */
export const Rebirth = z.object({
  marsad: z.literal(1).meta({ description: "Version of this message." }),
  reason: z.enum(["unknown-sensor", "operator"]),
});
export type Rebirth = z.infer<typeof Rebirth>;

/** One refusal to be told; `outbox` and `number` where the batch was numbered. */
export interface NackRejection {
  readonly reason: Reason;
  readonly detail: string;
  readonly outbox?: string;
  readonly number?: number;
  /** The refused reading's bytes, or the first of them; not necessarily UTF-8. */
  readonly bytes: Uint8Array;
}

/** @param message  `count` counts all refusals; of `rejections` the first `nackRejectionLimit` are told. */
export function formatNack(message: {
  readonly count: number;
  readonly rejections: readonly NackRejection[];
}): string {
  const nack: Nack = {
    marsad: 1,
    count: message.count,
    rejections: message.rejections
      .slice(0, nackRejectionLimit)
      .map(({ bytes, ...rejection }) => ({ ...rejection, excerpt: excerptOf(bytes) })),
  };
  return JSON.stringify(nack);
}

export function formatRebirth(message: Omit<Rebirth, "marsad">): string {
  const rebirth: Rebirth = { marsad: 1, ...message };
  return JSON.stringify(rebirth);
}

type Parsed<Message> =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly detail: string };

export function parseNack(bytes: Uint8Array): Parsed<Nack> {
  return parse(Nack, bytes);
}

export function parseRebirth(bytes: Uint8Array): Parsed<Rebirth> {
  return parse(Rebirth, bytes);
}

/** Text from bytes that may be no UTF-8, cut to a length for people. */
export function excerptOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 4 * excerptLength));
  return text.length > excerptLength ? `${text.slice(0, excerptLength - 1)}…` : text;
}

function parse<Message>(schema: z.ZodType<Message>, bytes: Uint8Array): Parsed<Message> {
  const json = parseJson(bytes);
  if (!json.ok) return { ok: false, detail: json.detail };
  const parsed = schema.safeParse(json.value);
  return parsed.success
    ? { ok: true, message: parsed.data }
    : { ok: false, detail: describeIssues(parsed.error) };
}
