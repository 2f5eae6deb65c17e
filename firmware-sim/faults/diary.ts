import type { Progress } from "../simulation.ts";
import type { SimState } from "../state-file.ts";
import type { LabelFile } from "./label-file.ts";

/** Which stretches of time a city has lived, as far as its labels are concerned: a fault of a time that nobody simulated did not happen. */
export class Diary {
  readonly #labels: LabelFile | undefined;
  readonly #now: () => number;
  /** Until when labels are written of the present stretch. */
  #at: number | undefined;

  /** @param saved  What is said again up to its `until` belongs to the city's life too. */
  constructor(labels: LabelFile | undefined, saved: SimState | undefined, now: () => number) {
    this.#labels = labels;
    this.#now = now;
    if (saved !== undefined && labels !== undefined) labels.lived(saved.at, Math.min(saved.until, now()));
  }

  note(progress: Progress): void {
    if (progress.kind === "history") {
      this.#labels?.lived(progress.from, progress.at);
      this.#at = progress.at;
    } else this.#live();
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    if (this.#at !== undefined) this.#live();
    await this.#labels?.written();
  }

  #live(): void {
    const now = this.#now();
    this.#labels?.lived(this.#at ?? now, now);
    this.#at = now;
  }
}
