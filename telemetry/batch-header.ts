import { hasAt, isDigit } from "./bytes.ts";

/**
 * The first line of an agent's batch, a comment to every other reader of line protocol:
 *
 *     # marsad 1 outbox=6f1c0c8e-3f0e-4a39-8f7b-3a1f5f0f2a11 first=1200 n=100
 *
 * Its readings have the numbers `first` … `first + n - 1` of that outbox.
 */
export interface BatchHeader {
  /** A UUID in lower case. */
  readonly outbox: string;
  readonly first: number;
  readonly n: number;
  /** Where the readings begin: the byte after the header's line. */
  readonly bodyStart: number;
}

export type ParsedBatchHeader =
  | { readonly ok: true; readonly header: BatchHeader }
  | { readonly ok: false; readonly detail: string };

const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");
const mark = encoder.encode("# marsad ");
const upToOutbox = encoder.encode("# marsad 1 outbox=");
const upToFirst = encoder.encode(" first=");
const upToN = encoder.encode(" n=");
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const uuidLength = 36;
/** More digits than any safe integer has. */
const maxDigits = 16;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const zero = 0x30;

/** The header line, with its newline. */
export function formatBatchHeader({ outbox, first, n }: Omit<BatchHeader, "bodyStart">): string {
  return `# marsad 1 outbox=${outbox} first=${first} n=${n}\n`;
}

/**
 * The header that a payload begins with; undefined if its first line is none (a comment or reading of somebody else's).
 * Bytes, not a regular expression over text: it runs once a message, and a message may be one reading.
 */
export function parseBatchHeader(payload: Uint8Array): ParsedBatchHeader | undefined {
  if (!hasAt(payload, 0, mark)) return undefined;
  const outboxAt = upToOutbox.length;
  const outboxEnd = outboxAt + uuidLength;
  if (!hasAt(payload, 0, upToOutbox) || !hasAt(payload, outboxEnd, upToFirst)) return broken(payload);
  const outbox = latin1.decode(payload.subarray(outboxAt, outboxEnd));

  const firstAt = outboxEnd + upToFirst.length;
  const firstEnd = digitsEnd(payload, firstAt);
  const nAt = firstEnd + upToN.length;
  const nEnd = digitsEnd(payload, nAt);
  const lineEnd = payload[nEnd] === carriageReturn ? nEnd + 1 : nEnd;
  if (
    !uuid.test(outbox) ||
    firstEnd === firstAt ||
    !hasAt(payload, firstEnd, upToN) ||
    nEnd === nAt ||
    (lineEnd < payload.length && payload[lineEnd] !== lineFeed)
  ) {
    return broken(payload);
  }
  const first = number(payload, firstAt, firstEnd);
  const n = number(payload, nAt, nEnd);
  if (n === 0) return { ok: false, detail: "the batch header counts no readings (n=0)" };
  if (!Number.isSafeInteger(first + n))
    return { ok: false, detail: "the batch header's numbers exceed 2^53 - 1" };
  return { ok: true, header: { outbox, first, n, bodyStart: Math.min(lineEnd + 1, payload.length) } };
}

function digitsEnd(payload: Uint8Array, at: number): number {
  let end = at;
  while (end - at < maxDigits && end < payload.length && isDigit(payload[end]!)) end += 1;
  return end;
}

function number(payload: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = at; i < end; i += 1) value = value * 10 + payload[i]! - zero;
  return value;
}

function broken(payload: Uint8Array): ParsedBatchHeader {
  const version = /^# marsad (\d{1,9}) /.exec(latin1.decode(payload.subarray(0, mark.length + 10)))?.[1];
  const detail =
    version !== undefined && version !== "1"
      ? `a batch header of version ${version}; this platform reads version 1`
      : "the batch header is not `# marsad 1 outbox=<uuid> first=<number> n=<count>`";
  return { ok: false, detail };
}
