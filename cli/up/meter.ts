import type { Totals } from "#api/schemas.ts";

/** What the live line shows. Sums go on over a restart of the platform, whose own begin at 0 again. */
export interface Reading {
  /** Readings that reached the platform in the last second. */
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

/** Makes sums and rates of the platform's totals, taken about once a second. */
export class Meter {
  readonly #before: Sums = { received: 0, stored: 0, duplicate: 0, refused: 0 };
  #last: Sums | undefined;
  #lastAt = 0;

  /** @param at  Milliseconds of any steady clock. */
  read(totals: Totals, at: number): Reading {
    const previous = this.#last;
    if (previous && totals.received < previous.received) {
      for (const sum of sums) this.#before[sum] += previous[sum];
    }
    const restarted = previous === undefined || totals.received < previous.received;
    const seconds = (at - this.#lastAt) / 1_000;
    const perSecond = restarted || seconds <= 0 ? 0 : (totals.received - previous.received) / seconds;
    this.#last = totals;
    this.#lastAt = at;
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
