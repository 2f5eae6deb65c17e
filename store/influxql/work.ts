import type { QueryLimits } from "./engine.ts";
import { InfluxqlError } from "./errors.ts";
import { Turns } from "./turns.ts";

const valuesPerTurn = 100_000;
/** Fewer where each is much work: by the clock. */
const valuesPerPiece = 10_000;
/** What handling a sequence costs beside its values, in values. */
const valuesPerSequence = 50;

/** What a statement does and holds, and how long it may keep others waiting. */
export class Work {
  readonly #limits: QueryLimits;
  readonly #signal: AbortSignal;
  readonly #turns: Turns;
  #held = 0;
  #windows = 0;
  #sinceTurn = 0;

  constructor(limits: QueryLimits, signal: AbortSignal) {
    this.#limits = limits;
    this.#signal = signal;
    this.#turns = new Turns(signal);
  }

  /** Counts values that are held from now on. */
  hold(values: number): void {
    this.#held += values;
    if (this.#held > this.#limits.values)
      throw new InfluxqlError(
        "limit",
        `the query needs more than ${this.#limits.values} values between its steps: narrow its time range or its WHERE, group by longer windows, or ask a roll-up`,
      );
  }

  /** Counts windows that come out, also those that a fill makes; before they are made. */
  windows(count: number): void {
    this.#windows += count;
    this.mayHaveWindows(this.#windows);
  }

  mayHaveWindows(count: number): void {
    if (count > this.#limits.windows)
      throw new InfluxqlError(
        "limit",
        `the query has more than ${this.#limits.windows} windows: narrow its time range, make the windows of GROUP BY time() longer, or group by fewer tags`,
      );
  }

  /** `some` for all of [0, count) in pieces, with other work of this thread between them. */
  async inTurns(count: number, some: (from: number, to: number) => void): Promise<void> {
    let from = 0;
    while (from < count) {
      const to = Math.min(count, from + valuesPerPiece);
      some(from, to);
      if (this.isTurnOver(to - from)) await this.giveWay();
      from = to;
    }
  }

  /** After some values: gives way when it is time to. */
  async did(values: number): Promise<void> {
    this.#signal.throwIfAborted();
    if (this.isTurnOver(values)) await this.giveWay();
  }

  /** The same after a sequence, which is some work however few values it has. */
  async didSequence(values: number): Promise<void> {
    this.#signal.throwIfAborted();
    if (this.isTurnOver(values + valuesPerSequence)) await this.giveWay();
  }

  /** Counts values that were worked on; then `giveWay`. */
  isTurnOver(values: number): boolean {
    this.#sinceTurn += values;
    return this.#sinceTurn >= valuesPerTurn || (values >= valuesPerPiece && this.#turns.isOver);
  }

  async giveWay(): Promise<void> {
    this.#sinceTurn = 0;
    await this.#turns.giveWay();
  }
}
