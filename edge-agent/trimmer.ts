import type { PositionRange } from "#runtime/durable-queue.ts";
import type { Outbox } from "./outbox.ts";

/** Milliseconds between trims: each is an fsynced transaction, and a PUBACK may come every millisecond. */
const INTERVAL = 200;

export interface TrimEvents {
  /** There is room again. */
  readonly onTrimmed: () => void;
  /** The trim failed; a later one makes up for it. */
  readonly onRefused: (error: unknown) => void;
}

/**
 * Lets the outbox forget what has its PUBACK, whatever still waits before it: one trim at a time, and not one for each
 * PUBACK. What it holds are positions, no more than the outbox has batches.
 */
export class Trimmer {
  readonly #outbox: Pick<Outbox, "remove">;
  readonly #events: TrimEvents;
  #acknowledged: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(outbox: Pick<Outbox, "remove">, events: TrimEvents) {
    this.#outbox = outbox;
    this.#events = events;
  }

  /** A batch has its PUBACK. @param urgent  The outbox has no room: do not wait for more of them. */
  acknowledged(position: number, urgent: boolean): void {
    this.#acknowledged.push(position);
    if (urgent) void this.trim();
    else this.#timer ??= setTimeout(() => void this.trim(), INTERVAL);
  }

  /** Trims now, or after the trim that is going on. */
  async trim(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
    if (this.#acknowledged.length > 0) this.#running ??= this.#run(this.#acknowledged.splice(0));
    await this.#running;
  }

  async #run(positions: number[]): Promise<void> {
    try {
      await this.#outbox.remove(rangesOf(positions));
      this.#events.onTrimmed();
    } catch (error) {
      this.#acknowledged = positions.concat(this.#acknowledged);
      this.#events.onRefused(error);
    } finally {
      this.#running = undefined;
    }
  }
}

/** Positions, each there once and in any order, as ascending ranges. */
export function rangesOf(positions: readonly number[]): PositionRange[] {
  const ranges: { from: number; to: number }[] = [];
  for (const position of positions.toSorted((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last?.to === position) last.to += 1;
    else ranges.push({ from: position, to: position + 1 });
  }
  return ranges;
}
