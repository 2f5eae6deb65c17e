import type { Outbox } from "./outbox.ts";
import type { SendPlan } from "./send-plan.ts";

/** Milliseconds between trims: each is an fsynced transaction, and a PUBACK may come every millisecond. */
const INTERVAL = 200;

export interface TrimEvents {
  /** There is room again. */
  readonly onTrimmed: () => void;
  /** The trim failed; a later one makes up for it. */
  readonly onRefused: (error: unknown) => void;
}

/** Lets the outbox forget what has its PUBACK: one trim at a time, and not one for each PUBACK. */
export class Trimmer {
  readonly #outbox: Outbox;
  readonly #plan: SendPlan;
  readonly #events: TrimEvents;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(outbox: Outbox, plan: SendPlan, events: TrimEvents) {
    this.#outbox = outbox;
    this.#plan = plan;
    this.#events = events;
  }

  /** A PUBACK has come. @param urgent  The outbox has no room: do not wait for more of them. */
  acknowledged(urgent: boolean): void {
    if (urgent) void this.trim();
    else this.#timer ??= setTimeout(() => void this.trim(), INTERVAL);
  }

  /** Trims now, or after the trim that is going on. */
  async trim(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
    const before = this.#plan.lowestUnacknowledged;
    if (before > this.#outbox.state.first) this.#running ??= this.#run(before);
    await this.#running;
  }

  async #run(before: number): Promise<void> {
    try {
      await this.#outbox.trim(before);
      this.#events.onTrimmed();
    } catch (error) {
      this.#events.onRefused(error);
    } finally {
      this.#running = undefined;
    }
  }
}
