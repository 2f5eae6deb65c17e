import type { RollupPlan } from "#analytics/rollup/plan.ts";
import { RollupRows } from "#analytics/rollup/rows.ts";
import type { Touched } from "#analytics/rollup/touched.ts";
import type { Store } from "#store/port.ts";
import type { Rollup } from "#store/query.ts";

/** Rows that are written at once, at most some more. */
const rowsAtOnce = 20_000;

/** Gathers rows of one roll-up, writes them in pieces, and says which coarser windows they lie in. */
export class RollupWriter {
  readonly rows: RollupRows;
  readonly #policy: Rollup;
  readonly #store: Pick<Store, "writeResults">;
  readonly #touched: Touched | undefined;
  readonly #wrote: (rows: number) => void;
  #told = 0;

  constructor(
    plan: RollupPlan,
    policy: Rollup,
    parts: {
      readonly store: Pick<Store, "writeResults">;
      readonly touched: Touched | undefined;
      readonly wrote: (policy: Rollup, rows: number) => void;
    },
  ) {
    this.rows = new RollupRows(plan);
    this.#policy = policy;
    this.#store = parts.store;
    this.#touched = parts.touched;
    this.#wrote = (rows) => parts.wrote(policy, rows);
  }

  /** After rows were added: once in a while they are written. */
  async added(): Promise<void> {
    const { rows } = this;
    if (this.#touched !== undefined)
      for (; this.#told < rows.size; this.#told += 1)
        this.#touched.add(rows.series[this.#told]!, rows.time[this.#told]!);
    if (rows.size >= rowsAtOnce) await this.flush();
  }

  async flush(): Promise<void> {
    const { size } = this.rows;
    if (size === 0) return;
    await this.#store.writeResults([this.rows.batch(this.#policy)]);
    this.#wrote(size);
    this.rows.clear();
    this.#told = 0;
  }
}
