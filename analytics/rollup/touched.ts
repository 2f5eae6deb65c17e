import type { Grain, Stretch } from "./extent.ts";

/** Coarser windows whose finer rows were written, and of which series: few are told, many are all. */
export class Touched {
  readonly #grain: Grain;
  readonly #windows = new Map<number, Set<number> | "all">();

  constructor(grain: Grain) {
    this.#grain = grain;
  }

  add(series: number, time: number): void {
    const window = this.#grain.beginOf(time);
    const known = this.#windows.get(window);
    if (known === undefined) this.#windows.set(window, new Set([series]));
    else if (known !== "all" && known.add(series).size > mostTold) this.#windows.set(window, "all");
  }

  /** Their beginnings. */
  windows(): number[] {
    return [...this.#windows.keys()];
  }

  addAll(window: number): void {
    this.#windows.set(window, "all");
  }

  delete(window: number): void {
    this.#windows.delete(window);
  }

  /** Windows that follow one another as one, the newest first. */
  stretches(): TouchedStretch[] {
    const stretches: { from: number; to: number; series: Set<number> | "all" }[] = [];
    for (const [from, series] of [...this.#windows].toSorted(([a], [b]) => b - a)) {
      const after = stretches.at(-1);
      const isNext = after !== undefined && this.#grain.endOf(from) === after.from;
      if (isNext && after.to - from <= longest_ms && isAlike(after.series, series)) {
        after.from = from;
        if (after.series !== "all") after.series = new Set([...after.series, ...(series as Set<number>)]);
      } else {
        stretches.push({ from, to: this.#grain.endOf(from), series });
      }
    }
    return stretches.map(({ from, to, series }) => ({
      from,
      to,
      series: series === "all" ? undefined : [...series],
    }));
  }
}

export interface TouchedStretch extends Stretch {
  /** Undefined: all. */
  readonly series: readonly number[] | undefined;
}

function isAlike(one: Set<number> | "all", other: Set<number> | "all"): boolean {
  return (one === "all") === (other === "all");
}

/** Of a question. */
const longest_ms = 26 * 3_600_000;
/** A question about so many series is answered faster than one about all. */
const mostTold = 64;
