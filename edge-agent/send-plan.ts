import type { PositionRange } from "#runtime/durable-queue.ts";
import { PositionRanges } from "./position-ranges.ts";

/** A batch that the outbox has on disk: one MQTT payload. */
export interface StoredBatch {
  /** Its place in the outbox. */
  readonly position: number;
  /** Readings in it. */
  readonly count: number;
  readonly payload: Buffer;
}

export interface SendLimits {
  /** Batches that may be unacknowledged on a connection. */
  readonly window: number;
  /** Bytes that may be unacknowledged on a connection; one batch may always go. */
  readonly windowBytes: number;
  /** Bytes of live batches kept in memory; older ones are left to the backlog, to be read from disk. Beside a backlog only some windows of them are kept. */
  readonly liveBytes: number;
}

/** So many windows of live batches wait in memory beside a backlog: what comes in a second or two, but no crowd of small ones. */
const liveWindows = 4;

type Lane = "live" | "backlog";
interface InFlight {
  readonly batch: StoredBatch;
  readonly lane: Lane;
}

/**
 * Decides which batch goes next. Pure: no socket, no disk, no clock.
 *
 * Two lanes share the window. Live batches go first, in the order of their positions; but while there is a backlog, a
 * quarter of the window is the backlog's, which goes oldest first. What a broken connection took with it goes again at the
 * head of its lane. So on one connection the positions arrive as two rising sequences, and as one when there is no backlog.
 */
export class SendPlan {
  /** Batches, and the readings in them, that went out again because their connection ended before the PUBACK. */
  resentBatches = 0;
  resentReadings = 0;

  #limits: SendLimits;
  readonly #inFlight = new Map<number, InFlight>();
  #inFlightBytes = 0;
  #liveInFlight = 0;
  #liveInFlightBytes = 0;
  /** In memory, ascending: were in flight when a connection ended. All are below what their lane has beside them. */
  #again: Record<Lane, StoredBatch[]> = { live: [], backlog: [] };
  /** In memory, ascending: read from the backlog. */
  #loaded: StoredBatch[] = [];
  readonly #onDisk = new PositionRanges();
  #live: StoredBatch[] = [];
  #liveBytes = 0;

  /** @param stored  Positions found in the outbox, ascending. */
  constructor(limits: SendLimits, stored: readonly PositionRange[]) {
    this.#limits = limits;
    for (const { from, to } of stored) this.#onDisk.add(from, to);
  }

  /** From now on so many batches may be unacknowledged; those in flight beyond it stay. */
  set window(window: number) {
    this.#limits = { ...this.#limits, window };
  }

  /** May a live batch of so many bytes go while there is a backlog? A quarter of the window, in batches and in bytes, is the backlog's; one live batch may always go. */
  #fitsLiveShare(bytes: number): boolean {
    const { window, windowBytes } = this.#limits;
    if (this.#liveInFlight === 0) return true;
    return (
      this.#liveInFlight < window - Math.max(1, Math.floor(window / 4)) &&
      this.#liveInFlightBytes + bytes <= windowBytes * (3 / 4)
    );
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Takes a batch that was just committed. */
  addLive(batch: StoredBatch): void {
    this.#live.push(batch);
    this.#liveBytes += batch.payload.length;
    while (this.#tooManyLive()) {
      const oldest = this.#takeLive()!;
      this.#onDisk.add(oldest.position, oldest.position + 1);
    }
  }

  #tooManyLive(): boolean {
    const { window, liveBytes } = this.#limits;
    if (this.#live.length <= 1) return false;
    return (
      this.#liveBytes > liveBytes ||
      (this.#onDisk.lowest !== undefined && this.#live.length > liveWindows * window)
    );
  }

  /** Where to read the backlog on from, when little of it is left in memory. */
  get wanted(): number | undefined {
    return this.#loaded.length < this.#limits.window ? this.#onDisk.lowest : undefined;
  }

  /** What the outbox answered to a read from `from`: batches in ascending order, also such as need no sending. */
  load(from: number, batches: readonly StoredBatch[]): void {
    // A position that the outbox does not have cannot be sent; it must not be asked for without end.
    this.#onDisk.removeThrough((batches[0]?.position ?? from + 1) - 1);
    for (const batch of batches) {
      if (this.#onDisk.removeThrough(batch.position)) this.#loaded.push(batch);
    }
  }

  /** The batch to send now, which is in flight from here on; undefined when the window or the outbox says wait. */
  next(): StoredBatch | undefined {
    if (this.#inFlight.size >= this.#limits.window) return undefined;
    const lane = this.#lane();
    if (lane === undefined) return undefined;
    const again = this.#again[lane];
    const queue = again.length > 0 ? again : lane === "live" ? this.#live : this.#loaded;
    const bytes = queue[0]!.payload.length;
    if (this.#inFlight.size > 0 && this.#inFlightBytes + bytes > this.#limits.windowBytes) return undefined;
    const batch = queue === this.#live ? this.#takeLive()! : queue.shift()!;
    if (queue === again) {
      this.resentBatches += 1;
      this.resentReadings += batch.count;
    }
    this.#inFlight.set(batch.position, { batch, lane });
    this.#inFlightBytes += bytes;
    if (lane === "live") {
      this.#liveInFlight += 1;
      this.#liveInFlightBytes += bytes;
    }
    return batch;
  }

  /** A PUBACK came. @returns the batch, or undefined for one that is not in flight (any more) */
  acknowledge(position: number): StoredBatch | undefined {
    const sent = this.#inFlight.get(position);
    if (sent === undefined) return undefined;
    this.#inFlight.delete(position);
    const bytes = sent.batch.payload.length;
    this.#inFlightBytes -= bytes;
    if (sent.lane === "live") {
      this.#liveInFlight -= 1;
      this.#liveInFlightBytes -= bytes;
    }
    return sent.batch;
  }

  /** The connection ended: what was in flight goes again, before the others of its lane. */
  connectionLost(): void {
    for (const { batch, lane } of this.#inFlight.values()) this.#again[lane].push(batch);
    for (const again of Object.values(this.#again)) again.sort((one, other) => one.position - other.position);
    this.#inFlight.clear();
    this.#inFlightBytes = 0;
    this.#liveInFlight = 0;
    this.#liveInFlightBytes = 0;
  }

  #lane(): Lane | undefined {
    const live = this.#again.live[0] ?? this.#live[0];
    if (live !== undefined && this.#fitsLiveShare(live.payload.length)) return "live";
    if (this.#again.backlog.length > 0 || this.#loaded.length > 0) return "backlog";
    return live === undefined ? undefined : "live";
  }

  #takeLive(): StoredBatch | undefined {
    const batch = this.#live.shift();
    if (batch !== undefined) this.#liveBytes -= batch.payload.length;
    return batch;
  }
}
