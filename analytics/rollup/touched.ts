import type { Grain } from "./extent.ts";

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

  get size(): number {
    return this.#windows.size;
  }

  /** Newest first. `series`: undefined for all. */
  *windows(): Generator<{
    readonly from: number;
    readonly to: number;
    readonly series: number[] | undefined;
  }> {
    for (const [from, series] of [...this.#windows].toSorted(([a], [b]) => b - a))
      yield { from, to: this.#grain.endOf(from), series: series === "all" ? undefined : [...series] };
  }
}

/** A question about so many series is answered faster than one about all. */
const mostTold = 64;
