import type { Totals } from "#api/schemas.ts";

/** What the live line shows. Sums go on over a restart of the platform, whose own begin at 0 again. */
export interface Reading {
  /** Readings that reached the platform, a second, over the last ten. */
  readonly perSecond: number;
  readonly stored: number;
  readonly refused: number;
  /** Stored, duplicate or refused: those that have a final answer. */
  readonly settled: number;
  /** Readings on the platform without a final answer now. */
  readonly onTheWay: number;
}

const sums = ["received", "stored", "duplicate", "refused"] as const;
type Sums = Record<(typeof sums)[number], number>;

/**
 * Milliseconds that a rate is taken over. Sensors speak on a grid of ten seconds, and not evenly: one second of it is unlike another, and whoever
 * looks each ten seconds would always see the same one.
 */
const RATE_WINDOW = 10_000;

/** Makes sums and rates of the platform's totals, taken about once a second. */
export class Meter {
  readonly #before: Sums = { received: 0, stored: 0, duplicate: 0, refused: 0 };
  /** Since the platform's start, the oldest first: up to the window's length, and the one before it. */
  #recent: { readonly at: number; readonly totals: Totals }[] = [];

  /** @param at  Milliseconds of any steady clock. */
  read(totals: Totals, at: number): Reading {
    const previous = this.#recent.at(-1)?.totals;
    if (previous && totals.received < previous.received) {
      for (const sum of sums) this.#before[sum] += previous[sum];
      this.#recent = [];
    }
    this.#recent.push({ at, totals });
    while (this.#recent.length > 2 && at - this.#recent[1]!.at >= RATE_WINDOW) this.#recent.shift();
    const [oldest] = this.#recent;
    const seconds = (at - oldest!.at) / 1_000;
    const perSecond = seconds <= 0 ? 0 : (totals.received - oldest!.totals.received) / seconds;
    const sumOf = (sum: keyof Sums): number => this.#before[sum] + totals[sum];
    return {
      perSecond,
      stored: sumOf("stored"),
      refused: sumOf("refused"),
      settled: sumOf("stored") + sumOf("duplicate") + sumOf("refused"),
      onTheWay: totals.waiting + totals.journal + totals.missing,
    };
  }
}
