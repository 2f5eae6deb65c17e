import { type Partition, day_ms, idOf } from "./partition.ts";

/** When a table is closed, and worth being rewritten in series order. */
export interface ClosedDayRules {
  /** ms after the table's end: by then nearly all of its readings have come. */
  readonly margin: number;
  /** ms without a new row: a gateway that sends its backlog is waited for … */
  readonly quiet: number;
  /** … but not longer than this many ms after the table's end. */
  readonly patience: number;
  /** Tables of fewer rows stay as they are: DuckDB prunes by row groups, and within one there is nothing to prune. */
  readonly fewestRows: number;
  /** A table rewritten before is rewritten again when more than this share of it came afterwards (and `fewestRows`). */
  readonly tail: number;
}

export const closedDayRules: ClosedDayRules = {
  margin: 2 * 3_600_000,
  quiet: 10 * 60_000,
  patience: day_ms,
  fewestRows: 122_880,
  tail: 0.1,
};

/** Says which tables are due. It remembers since when each has had as many rows as it has; nothing else. */
export class ClosedDays {
  readonly #rules: ClosedDayRules;
  readonly #seen = new Map<string, { readonly rows: number; readonly since: number }>();

  constructor(rules: ClosedDayRules) {
    this.#rules = rules;
  }

  /**
   * Tables due, the newest first: it is asked most.
   * @param sorted  By table, how many of its rows stand in series order.
   * @param now  ms since 1970.
   */
  due(partitions: Iterable<Partition>, sorted: ReadonlyMap<string, number>, now: number): Partition[] {
    const due: Partition[] = [];
    for (const partition of partitions) {
      const { rows, to } = partition;
      const table = idOf(partition);
      if (now < to + this.#rules.margin || !this.#isWorthIt(rows, sorted.get(table) ?? 0)) {
        this.#seen.delete(table);
        continue;
      }
      const before = this.#seen.get(table);
      const since = before?.rows === rows ? before.since : now;
      this.#seen.set(table, { rows, since });
      if (now - since >= this.#rules.quiet || now >= to + this.#rules.patience) due.push(partition);
    }
    return due.toSorted((a, b) => b.from - a.from);
  }

  #isWorthIt(rows: number, sorted: number): boolean {
    const unsorted = rows - sorted;
    if (unsorted < this.#rules.fewestRows) return false;
    return sorted === 0 || unsorted > rows * this.#rules.tail;
  }
}
