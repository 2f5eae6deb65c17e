import type { Fault } from "./fault.ts";
import type { FaultPlan } from "./plan.ts";

/** The faults at a time that mostly moves on: asks the plan at changes only. */
export class ActiveFaults {
  readonly #plan: FaultPlan | undefined;
  #faults: readonly Fault[] = [];
  #asked = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  /** @param plan  Undefined: nothing ever happens. */
  constructor(plan: FaultPlan | undefined) {
    this.#plan = plan;
  }

  at(time: number): readonly Fault[] {
    if (this.#plan !== undefined && (time >= this.#until || time < this.#asked)) {
      const { faults, until } = this.#plan.at(time);
      this.#faults = faults;
      this.#asked = time;
      this.#until = until;
    }
    return this.#faults;
  }
}
