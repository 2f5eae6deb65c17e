import { setTimeout as sleep } from "node:timers/promises";
import { formatBatchHeader } from "#telemetry/batch-header.ts";
import { BatchBuffer } from "./batch-buffer.ts";
import type { Outbox } from "./outbox.ts";
import type { StoredBatch } from "./send-plan.ts";

export interface SpoolLimits {
  /** Bytes of one payload, header included. */
  readonly batchBytes: number;
  /** Bytes after which the sealed batches are committed without waiting for their age. */
  readonly groupBytes: number;
  /** Milliseconds from a reading's arrival until it is committed, while the disk keeps up. */
  readonly maxAge: number;
  /** Bytes not yet on disk beyond which the spool is full. */
  readonly heldBytes: number;
}

export interface SpoolEvents {
  /** Batches that are on disk from now on, in order; the spool may have room again. */
  readonly onCommitted: (batches: readonly StoredBatch[]) => void;
  /** The outbox took nothing; it is tried again and again. */
  readonly onRefused: (error: unknown) => void;
}

/** No header is longer: see `formatBatchHeader`. */
const HEADER_ROOM = 128;
/** Milliseconds between attempts when the outbox has no room and nothing says that it has some again. */
const RETRY_INTERVAL = 500;

interface Sealed {
  readonly count: number;
  readonly payload: Buffer;
  /** Number of the reading after its last. */
  readonly nextNumber: number;
}

/**
 * From the open batch to the outbox: numbers and seals batches and commits them in groups, one at low load after `maxAge`,
 * several at once under load. What is in here is not on disk yet, and is lost when the process is killed: at most `maxAge` of
 * readings, or `heldBytes` when the disk is slow.
 */
export class Spool {
  readonly batch: BatchBuffer;

  readonly #outbox: Outbox;
  #limits: SpoolLimits;
  readonly #events: SpoolEvents;
  #nextNumber: number;
  #sealed: Sealed[] = [];
  #sealedBytes = 0;
  #ageTimer: NodeJS.Timeout | undefined;
  /** All that is sealed is to be committed, however little. */
  #due = false;
  #committing: Promise<void> | undefined;
  /** The outbox has no room for a single batch. */
  #refused = false;
  /** Batches that the outbox is offered at once, however small they are. */
  #groupLimit = Infinity;
  #wake: (() => void) | undefined;
  #stopped = false;
  /** Who waits for the readings before a number to be on disk, in the numbers' order. */
  readonly #waiting: { readonly number: number; readonly settle: (onDisk: boolean) => void }[] = [];

  constructor(outbox: Outbox, limits: SpoolLimits, events: SpoolEvents) {
    this.#outbox = outbox;
    this.#limits = limits;
    this.#events = events;
    this.#nextNumber = outbox.state.nextNumber;
    this.batch = new BatchBuffer(limits.batchBytes - HEADER_ROOM);
  }

  /** Full: readings offered now would only wait in memory. It ends with a commit. */
  get full(): boolean {
    return this.#refused || this.#sealedBytes + this.batch.length > this.#limits.heldBytes;
  }

  /** Readings in memory. */
  get held(): number {
    return this.#sealed.reduce((sum, sealed) => sum + sealed.count, this.batch.count);
  }

  /** To be called after lines were put into the open batch: none waits longer than `maxAge`. */
  touch(): void {
    if (this.batch.count === 0 && this.#sealed.length === 0) return;
    this.#ageTimer ??= setTimeout(() => void this.flush(), this.#limits.maxAge);
  }

  /** Closes the open batch, which has at least one line, and begins the next. */
  seal(): void {
    const { count } = this.batch;
    const header = formatBatchHeader({ outbox: this.#outbox.state.uuid, first: this.#nextNumber, n: count });
    const payload = this.batch.take(Buffer.from(header, "latin1"));
    this.#nextNumber += count;
    this.#sealed.push({ count, payload, nextNumber: this.#nextNumber });
    this.#sealedBytes += payload.length;
    void this.#commitDue();
  }

  /** Commits all there is; resolves when it is on disk, or when `stop` gave up. */
  async flush(): Promise<void> {
    clearTimeout(this.#ageTimer);
    this.#ageTimer = undefined;
    this.#due = true;
    if (this.batch.count > 0) this.seal();
    await this.#commitDue();
  }

  /** From now on batches have other bounds; what is in the open one is sealed under its old ones. */
  resize(batchBytes: number, maxAge: number): void {
    if (batchBytes !== this.#limits.batchBytes) {
      if (this.batch.count > 0) this.seal();
      this.batch.resize(batchBytes - HEADER_ROOM);
    }
    this.#limits = { ...this.#limits, batchBytes, maxAge };
    this.touch();
  }

  /** Commits all there is now; resolves when that is on disk, whatever comes meanwhile, or to false when `stop` gave up. */
  committed(): Promise<boolean> {
    if (this.batch.count > 0) this.seal();
    if (this.#sealed.length === 0) return Promise.resolve(true);
    if (this.#stopped) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ number: this.#nextNumber, settle: resolve });
    this.#due = true;
    void this.#commitDue();
    return promise;
  }

  /** The outbox may have room again: if it had none, try now. */
  retry(): void {
    this.#wake?.();
  }

  /** Flushes, at most for `grace` milliseconds. @returns readings that could not be kept */
  async stop(grace: number): Promise<number> {
    const timer = new AbortController();
    await Promise.race([this.flush(), sleep(grace, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
    this.#stopped = true;
    this.retry();
    await this.#committing;
    for (const { settle } of this.#waiting.splice(0)) settle(false);
    return this.held;
  }

  get #isDue(): boolean {
    if (this.#stopped || this.#sealed.length === 0) return false;
    return this.#due || this.#sealedBytes >= this.#limits.groupBytes;
  }

  /** One commit at a time; what is sealed meanwhile makes the next group. */
  async #commitDue(): Promise<void> {
    if (this.#isDue) this.#committing ??= this.#commitAll();
    await this.#committing;
  }

  async #commitAll(): Promise<void> {
    do {
      const group = this.#group();
      const payloads = group.map(({ payload }) => payload);
      let position: number;
      try {
        position = await this.#outbox.commit(payloads, group.at(-1)!.nextNumber);
      } catch (error) {
        await this.#notTaken(group, error);
        continue;
      }
      this.#taken(group, position);
    } while (this.#isDue);
    this.#due &&= this.#sealed.length > 0;
    this.#committing = undefined;
  }

  /** What goes into one transaction. */
  #group(): readonly Sealed[] {
    let bytes = 0;
    const reached = this.#sealed.findIndex(
      ({ payload }) => (bytes += payload.length) >= this.#limits.groupBytes,
    );
    const end = reached === -1 ? this.#sealed.length : reached + 1;
    return this.#sealed.slice(0, Math.min(end, this.#groupLimit));
  }

  #taken(group: readonly Sealed[], position: number): void {
    this.#sealed.splice(0, group.length);
    for (const { payload } of group) this.#sealedBytes -= payload.length;
    this.#refused = false;
    this.#groupLimit *= 2;
    const reached = group.at(-1)!.nextNumber;
    while (this.#waiting.length > 0 && this.#waiting[0]!.number <= reached)
      this.#waiting.shift()!.settle(true);
    this.#events.onCommitted(
      group.map(({ count, payload }, index) => ({ position: position + index, count, payload })),
    );
  }

  /** Half of a group may still fit; a single batch has to wait for room. */
  async #notTaken(group: readonly Sealed[], error: unknown): Promise<void> {
    this.#groupLimit = Math.max(1, Math.floor(group.length / 2));
    if (group.length > 1) return;
    this.#refused = true;
    this.#events.onRefused(error);
    await this.#roomOrTime();
  }

  async #roomOrTime(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, RETRY_INTERVAL);
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
  }
}
