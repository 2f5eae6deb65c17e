import { parseBatchHeader } from "#telemetry/batch-header.ts";
import type { ReadingFormat } from "#telemetry/topic.ts";

/** Reading numbers of an agent's batch: `first` … `first + n - 1`. */
export interface Numbering {
  readonly outbox: string;
  readonly first: number;
  readonly n: number;
}

export interface Header {
  readonly numbering: Numbering | undefined;
  /** Why there is no numbering although the batch begins with a header. */
  readonly error: string | undefined;
  /** Where the readings begin. */
  readonly bodyStart: number;
}

const noHeader: Header = { numbering: undefined, error: undefined, bodyStart: 0 };

/** The batch header of a line-protocol payload, if it has one. */
export function readHeader(format: ReadingFormat, payload: Uint8Array): Header {
  if (format !== "lp") return noHeader;
  const parsed = parseBatchHeader(payload);
  if (parsed === undefined) return noHeader;
  if (!parsed.ok) return { numbering: undefined, error: parsed.detail, bodyStart: 0 };
  return { numbering: parsed.header, error: undefined, bodyStart: parsed.header.bodyStart };
}

/** What is wrong with a header before a batch of `found` readings, if anything: then its numbers mean nothing. */
export function headerError({ numbering, error }: Header, found: number): string | undefined {
  if (!numbering || numbering.n === found) return error;
  return `the header says n=${numbering.n}, the batch has ${found} readings`;
}

/** Where the first line ends. */
export function firstLineEnd(payload: Uint8Array): number {
  const newline = payload.indexOf(0x0a);
  return newline === -1 ? payload.length : newline;
}
