import { JournalFile, journalTables } from "#ingest/journal/journal-file.ts";
import type { JournalGroup, LedgerRecord, RefusedPayload, WaitingPayload } from "#ingest/journal/messages.ts";
import { type DurableQueue, openDurableQueue } from "#runtime/durable-queue.ts";

const MiB = 1024 * 1024;

export const bounds = { bytesPerGateway: 1_000, bytes: 10_000, maxAge: 1_000 };

export function openQueue(path: string): DurableQueue {
  return openDurableQueue({ path, maxLiveBytes: MiB, maxFileBytes: 64 * MiB, tables: journalTables });
}

export function openJournalFile(path: string, deadLetters = bounds): JournalFile {
  return new JournalFile(openQueue(path), deadLetters);
}

/** A group of what is given, and nothing else. */
export function groupOf(content: Partial<JournalGroup> = {}): JournalGroup {
  return {
    block: undefined,
    series: [],
    storeBase: undefined,
    ledgers: [],
    outboxes: [],
    outboxesForgotten: [],
    waiting: [],
    waitingDone: [],
    deadLetters: [],
    deadLettersDone: [],
    refusalsTaken: undefined,
    ...content,
  };
}

export function refused(
  content: Partial<Omit<RefusedPayload, "bytes">> & { bytes?: string } = {},
): RefusedPayload {
  return {
    gateway: "gw-1",
    agency: "water",
    channel: "lp",
    reason: "syntax",
    detail: "no",
    readings: 1,
    at: 0,
    ...content,
    bytes: Buffer.from(content.bytes ?? "broken"),
  };
}

export function waiting(bytes: string, content: Partial<WaitingPayload> = {}): WaitingPayload {
  return {
    gateway: "gw-1",
    agency: "water",
    channel: "lp",
    readings: 1,
    at: 0,
    ...content,
    bytes: Buffer.from(bytes),
  };
}

export function ledger(content: Partial<LedgerRecord> = {}): LedgerRecord {
  return {
    gateway: "gw-1",
    agency: "water",
    received: 0,
    duplicate: 0,
    refused: {},
    waiting: 0,
    waitingBytes: 0,
    lastSeen: 0,
    ...content,
  };
}

export function blockOf(text: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(text)).buffer;
}

export function textOf(bytes: Uint8Array | ArrayBuffer | null | undefined): string | null {
  return bytes ? Buffer.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes).toString() : null;
}
