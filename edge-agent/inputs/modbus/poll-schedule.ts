interface Slot {
  /** Milliseconds between two reads. */
  readonly period: number;
  /** The next point of its grid. */
  grid: number;
  /** When it is to be read: at its point of the grid, or at once. */
  due: number;
}

/**
 * Which device of a bus is read next: each on an even grid of its own period, their beginnings spread over the shortest one so that they do not all come at once. A bus that
 * falls behind leaves points out; it does not catch up. Times are milliseconds of any steady clock.
 */
export class PollSchedule {
  readonly #slots: readonly Slot[];

  constructor(periods: readonly number[], start: number) {
    const shortest = Math.min(...periods);
    this.#slots = periods.map((period, index) => {
      const first = start + (index * shortest) / periods.length;
      return { period, grid: first, due: first };
    });
  }

  /** The device that is due first, and how long from `now`; 0 = at once, Infinity = all are held. */
  next(now: number): { readonly device: number; readonly wait: number } {
    let device = 0;
    for (let index = 1; index < this.#slots.length; index++)
      if (this.#slots[index]!.due < this.#slots[device]!.due) device = index;
    return { device, wait: Math.max(0, this.#slots[device]!.due - now) };
  }

  /** The device was read: its next turn is at the next point of its grid. */
  done(device: number, now: number): void {
    const slot = this.#slots[device]!;
    if (slot.grid <= now) slot.grid += (Math.floor((now - slot.grid) / slot.period) + 1) * slot.period;
    slot.due = slot.grid;
  }

  /** The device is not to be read until `again` or `done` is called for it. */
  hold(device: number): void {
    this.#slots[device]!.due = Infinity;
  }

  /** The device has more to say: it is read again at once, after those that are due already. */
  again(device: number, now: number): void {
    this.#slots[device]!.due = now;
  }
}
