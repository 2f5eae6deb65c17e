import { rollCoarser } from "#analytics/rollup/coarser.ts";
import type { Grain } from "#analytics/rollup/extent.ts";
import { seriesOf } from "#analytics/rollup/feed.ts";
import type { Periods } from "#analytics/rollup/periods.ts";
import type { RollupPlan } from "#analytics/rollup/plan.ts";
import type { Touched } from "#analytics/rollup/touched.ts";
import type { Store } from "#store/port.ts";
import type { Rollup } from "#store/query.ts";
import { GiveWay } from "./give-way.ts";
import type { RollupWriter } from "./rollup-writer.ts";

/** Makes the windows that were touched anew of all the finer rows in them. Rows from before `since` are forgotten. */
export async function rollTouched(
  {
    store,
    plan,
    periods,
    since,
    signal,
  }: { store: Pick<Store, "rows">; plan: RollupPlan; periods: Periods; since: number; signal: AbortSignal },
  { finer, coarser }: { readonly finer: Rollup; readonly coarser: Rollup },
  touched: Touched,
  writer: RollupWriter,
): Promise<void> {
  const columns = plan.columns.map(({ name }) => name);
  const giveWay = new GiveWay(signal);
  for (const { from, to, series } of touched.stretches()) {
    if (to <= since) continue;
    const query = {
      policy: finer,
      measurement: plan.measurement,
      from: beginIn(periods[coarser], from, since),
      to,
      fields: columns,
    };
    for await (const rows of seriesOf(store.rows({ ...query, ...(series && { series }) }), columns)) {
      rollCoarser(rows, { begin: 0, end: rows.time.length }, periods[coarser], rows.series, writer.rows);
      await writer.added();
      if (giveWay.isDue) await giveWay.turn();
    }
  }
}

/** The first whole window at or after `from` of which nothing is forgotten. */
function beginIn(grain: Grain, from: number, since: number): number {
  return from >= since ? from : grain.endOf(since);
}
