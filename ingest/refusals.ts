import type { Reason, Rejection } from "#telemetry/rejection.ts";
import type { UplinkChannel } from "#telemetry/topic.ts";

/** Readings of one payload that share a fate, with their bytes, which can be decoded again as a payload of the same channel. */
export interface RefusedPart {
  readonly reason: Reason;
  /** Of the first of them. */
  readonly detail: string;
  readonly readings: number;
  readonly bytes: Uint8Array;
}

/** Gathers a payload's rejections by reason and copies out the bytes of each. */
export function partsByReason(
  channel: UplinkChannel,
  payload: Uint8Array,
  rejections: readonly Rejection[],
): RefusedPart[] {
  const byReason = new Map<Reason, Rejection[]>();
  for (const rejection of rejections) {
    const same = byReason.get(rejection.reason);
    if (same) same.push(rejection);
    else byReason.set(rejection.reason, [rejection]);
  }
  return Array.from(byReason, ([reason, same]) => ({
    reason,
    detail: same[0]?.detail ?? reason,
    readings: same.length,
    bytes: joinBytes(channel, same.map((rejection) => rejectedBytes(payload, rejection))),
  }));
}

/** The refused reading itself: its line, or its JSON object. */
export function rejectedBytes(payload: Uint8Array, rejection: Rejection): Uint8Array {
  return payload.subarray(rejection.start, rejection.end);
}

function joinBytes(channel: UplinkChannel, pieces: readonly Uint8Array[]): Uint8Array {
  if (channel !== "json" || pieces.length === 1) return Buffer.concat(interleave(pieces, newline));
  return Buffer.concat([openBracket, ...interleave(pieces, comma), closeBracket]);
}

function interleave(pieces: readonly Uint8Array[], separator: Uint8Array): Uint8Array[] {
  return pieces.flatMap((piece, index) => (index === 0 ? [piece] : [separator, piece]));
}

const newline = Buffer.from("\n");
const comma = Buffer.from(",");
const openBracket = Buffer.from("[");
const closeBracket = Buffer.from("]");
