import type { Reason, Rejection } from "#telemetry/rejection.ts";
import type { UplinkChannel } from "#telemetry/topic.ts";

/** Readings of one payload that share a fate, with a copy of their bytes, which are a payload of the same channel. */
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
  return Array.from(
    Map.groupBy(rejections, ({ reason }) => reason),
    ([reason, same]) => ({
      reason,
      detail: same[0]?.detail ?? reason,
      readings: same.length,
      bytes: join(
        channel,
        same.map((rejection) => rejectedBytes(payload, rejection)),
      ),
    }),
  );
}

/** The refused reading itself: its line, or its JSON object. A view, unless the decoder made it. */
export function rejectedBytes(payload: Uint8Array, { bytes, start, end }: Rejection): Uint8Array {
  return bytes ?? payload.subarray(start, end);
}

/** Bytes of the readings that were rejected for one of `reasons`; what their part would take. */
export function rejectedLength(rejections: readonly Rejection[], reason: Reason): number {
  let length = 0;
  for (const rejection of rejections) {
    if (rejection.reason === reason)
      length += (rejection.bytes?.length ?? rejection.end - rejection.start) + 1;
  }
  return length;
}

const newline = 0x0a;
const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Lines one under another, a JSON array, or one SenML pack of several; in memory of its own. */
function join(channel: UplinkChannel, parts: readonly Uint8Array[]): Uint8Array {
  const isArray = (channel === "json" || channel === "senml") && parts.length > 1;
  // The records of a pack: it has no blanks around its brackets, since the decoder wrote it.
  const pieces = isArray && channel === "senml" ? parts.map((pack) => pack.subarray(1, -1)) : parts;
  const separator = isArray ? comma : newline;
  const length = pieces.reduce((sum, piece) => sum + piece.length + 1, isArray ? 1 : -1);
  const joined = new Uint8Array(length);
  let at = 0;
  if (isArray) joined[at++] = openBracket;
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) joined[at++] = separator;
    joined.set(piece, at);
    at += piece.length;
  }
  if (isArray) joined[at] = closeBracket;
  return joined;
}
