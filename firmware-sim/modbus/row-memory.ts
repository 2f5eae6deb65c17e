import type { Row } from "./register-image.ts";

/** A memory at rest. Values that are absent are null: JSON has no NaN. */
export interface SavedMemory {
  /** Number of the first row; of the next one, when there is none. */
  first: number;
  /** Event time and values. */
  rows: (number | null)[][];
}

/** A master's connection; `turn` rises with each batch of requests that came together. */
export interface Master {
  readonly turn: number;
}

/**
 * The memory of a device's logger: rows that a master has not fetched yet, shown one after the other. Modbus acknowledges nothing, so
 * the row shown stays until the next request on the same connection: only that proves that the last answer arrived. A new connection is
 * shown the last row again.
 */
export class RowMemory {
  /** Rows whose arrival was proved. */
  fetched = 0;
  /** Rows that were lost because nobody fetched them in time. */
  overwritten = 0;
  readonly #capacity: number;
  readonly #onFetched: (() => void) | undefined;
  /** Oldest first; the first is the one shown. */
  readonly #rows: Row[] = [];
  #next = 1;
  #shownTo: Master | undefined;
  #shownIn = 0;
  /** The first row's arrival was proved; it stays on show for want of a newer one. */
  #proved = false;

  /** @param onFetched Called when the arrival of a row was proved. */
  constructor(capacity: number, onFetched?: () => void) {
    this.#capacity = capacity;
    this.#onFetched = onFetched;
  }

  /** Rows whose arrival nobody has proved yet. */
  get unread(): number {
    return this.#rows.length - (this.#proved ? 1 : 0);
  }

  /** Rows that it ever took. */
  get taken(): number {
    return this.#next - 1;
  }

  /** Takes a row; a full memory forgets its oldest. The receiver keeps `values`. */
  push(time: number, values: Float64Array): void {
    if (this.#rows.length === this.#capacity) {
      if (!this.#proved) this.overwritten += 1;
      this.#forgetFirst();
    }
    this.#rows.push({ number: this.#next, time, values });
    this.#next += 1;
  }

  /** The row that `master` is shown now; undefined before the first one. */
  show(master: Master): Row | undefined {
    // Requests that came together were sent before any of them was answered: the later ones prove nothing.
    const arrived = this.#shownTo === master && master.turn > this.#shownIn;
    if (arrived && !this.#proved) {
      this.#proved = true;
      this.fetched += 1;
      this.#onFetched?.();
    }
    if (arrived && this.#rows.length > 1) this.#forgetFirst();
    const shown = this.#rows[0];
    if (shown !== undefined) {
      this.#shownTo = master;
      this.#shownIn = master.turn;
    }
    return shown;
  }

  /** The row on show, without proving anything. */
  get shown(): Row | undefined {
    return this.#rows[0];
  }

  save(): SavedMemory {
    return {
      first: this.#next - this.#rows.length,
      rows: this.#rows.map(({ time, values }) => [time, ...Array.from(values, orNull)]),
    };
  }

  /** Of a smaller memory the newest rows stay. */
  restore({ first, rows }: SavedMemory): void {
    this.#rows.length = 0;
    this.#shownTo = undefined;
    this.#proved = false;
    this.#next = first;
    for (const [time, ...values] of rows) this.push(time!, Float64Array.from(values, orNaN));
  }

  #forgetFirst(): void {
    this.#rows.shift();
    this.#proved = false;
    this.#shownTo = undefined;
  }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function orNaN(value: number | null): number {
  return value ?? Number.NaN;
}
