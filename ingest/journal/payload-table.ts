import {
  type QueueTransaction,
  type Table,
  type TableKey,
  type TableWriter,
  jsonCodec,
} from "#runtime/durable-queue.ts";

/** Payloads of one gateway follow one another by number; a name holds no dot. */
export interface PayloadKey {
  readonly gateway: string;
  readonly number: number;
}

export function formatKey({ gateway, number }: PayloadKey): string {
  return `${gateway}.${number}`;
}

/** @returns undefined for text that is no key. */
export function parseKey(text: string): PayloadKey | undefined {
  const match = /^([a-z0-9][a-z0-9-]*)\.(\d{1,15})$/.exec(text);
  return match?.[1] === undefined ? undefined : { gateway: match[1], number: Number(match[2]) };
}

export function tableKey({ gateway, number }: PayloadKey): TableKey {
  return [gateway, number];
}

export function fromTableKey(key: TableKey): PayloadKey {
  const [gateway, number] = key as [string, number];
  return { gateway, number };
}

/** All keys of one gateway, after `after` if given. */
export function rangeOf(gateway: string, after?: number): { start: TableKey; end: TableKey } {
  return { start: [gateway, after === undefined ? 0 : after + 1], end: [gateway, Number.MAX_SAFE_INTEGER] };
}

/** Facts as JSON, and the bytes they are about, under one key. */
export interface PayloadTables<Bytes = Table, Facts = Table<unknown>> {
  readonly bytes: Bytes;
  readonly facts: Facts;
}
export type PayloadWriters = PayloadTables<TableWriter, TableWriter<unknown>>;

export const countersTable = "counters";

/** Takes `count` numbers of a counter that were never given. @returns the first of them. */
export function takeNumbers(transaction: QueueTransaction, counter: string, count: number): number {
  const counters = transaction.table(countersTable, jsonCodec);
  const next = (counters.get(counter) as number | undefined) ?? 0;
  if (count > 0) counters.put(counter, next + count);
  return next;
}
