/**
 * A set of outbox positions as ranges in ascending order. Positions are added above all others and removed from below,
 * which is all that a backlog needs.
 */
export class PositionRanges {
  /** from, to (exclusive), from, to, … ; the live part begins at `#head`. */
  #bounds: number[] = [];
  #head = 0;

  /** The lowest position in the set. */
  get lowest(): number | undefined {
    return this.#bounds[this.#head];
  }

  /** Adds `from` up to `to` (exclusive); all of them are above what is in the set. */
  add(from: number, to: number): void {
    if (from >= to) return;
    const last = this.#bounds.length - 1;
    if (last > this.#head && this.#bounds[last] === from) this.#bounds[last] = to;
    else this.#bounds.push(from, to);
  }

  /** Removes every position up to and including `position`. @returns whether `position` itself was in the set */
  removeThrough(position: number): boolean {
    const bounds = this.#bounds;
    let wasIn = false;
    while (this.#head < bounds.length && bounds[this.#head]! <= position) {
      if (bounds[this.#head + 1]! > position + 1) {
        wasIn = true;
        bounds[this.#head] = position + 1;
        break;
      }
      wasIn = bounds[this.#head + 1] === position + 1;
      this.#head += 2;
    }
    if (this.#head > 1024 && this.#head * 2 > bounds.length) {
      this.#bounds = bounds.slice(this.#head);
      this.#head = 0;
    }
    return wasIn;
  }
}
