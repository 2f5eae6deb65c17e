import type { RollupPlan } from "#analytics/rollup/plan.ts";
import { RollupRows } from "#analytics/rollup/rows.ts";
import type { Touched } from "#analytics/rollup/touched.ts";
import type { Store } from "#store/port.ts";
import type { Rollup } from "#store/query.ts";

/** Rows that are written at once, at most some more: many at once take more memory of the store, few more time. */
const rowsAtOnce = 5_000;

/** Gathers rows of all measurements and roll-ups and writes them together: a store's cost is by the write more than by the row. */
export class RollupOutput {
  readonly #store: Pick<Store, "writeResults">;
  readonly #wrote: (policy: Rollup, rows: number) => void;
  readonly #writers: RollupWriter[] = [];

  constructor(store: Pick<Store, "writeResults">, wrote: (policy: Rollup, rows: number) => void) {
    this.#store = store;
    this.#wrote = wrote;
  }

  /** @param touched  Is told in which coarser windows the rows lie. */
  writer(plan: RollupPlan, policy: Rollup, touched: Touched | undefined): RollupWriter {
    const writer = new RollupWriter(plan, policy, touched, async () => {
      const gathered = this.#writers.reduce((sum, { rows }) => sum + rows.size, 0);
      if (gathered >= rowsAtOnce) await this.flush();
    });
    this.#writers.push(writer);
    return writer;
  }

  async flush(): Promise<void> {
    const full = this.#writers.filter(({ rows }) => rows.size > 0);
    if (full.length === 0) return;
    await this.#store.writeResults(full.map(({ rows, policy }) => rows.batch(policy)));
    for (const writer of full) {
      this.#wrote(writer.policy, writer.rows.size);
      writer.clear();
    }
  }
}

/** Where rows of one measurement and roll-up are put. */
export class RollupWriter {
  readonly rows: RollupRows;
  readonly policy: Rollup;
  readonly #touched: Touched | undefined;
  readonly #hasMore: () => Promise<void>;
  #told = 0;

  constructor(plan: RollupPlan, policy: Rollup, touched: Touched | undefined, hasMore: () => Promise<void>) {
    this.rows = new RollupRows(plan);
    this.policy = policy;
    this.#touched = touched;
    this.#hasMore = hasMore;
  }

  /** After rows were added: once in a while all are written. */
  async added(): Promise<void> {
    const { rows } = this;
    if (this.#touched !== undefined)
      for (; this.#told < rows.size; this.#told += 1)
        this.#touched.add(rows.series[this.#told]!, rows.time[this.#told]!);
    await this.#hasMore();
  }

  clear(): void {
    this.rows.clear();
    this.#told = 0;
  }
}
